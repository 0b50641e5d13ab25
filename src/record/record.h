// The row types that everything passes: a record as a source gave it, and a document made from records.
#ifndef RHODES_RECORD_RECORD_H_
#define RHODES_RECORD_RECORD_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rhodes {

// Where a record's bytes lie: `file` as an absolute path (a member of an archive: "archive.zip!/member"), and the half
// open byte range [begin, end) of the *uncompressed* file that holds exactly that record.
struct Origin {
  std::string file;
  uint64_t begin = 0;
  uint64_t end = 0;
};

// One thing that a source said. The schema of `records/<source>/part-*.parquet`, in this order:
//   id VARCHAR, source VARCHAR, kind VARCHAR, time TIMESTAMP (UTC, microseconds), author VARCHAR, latitude DOUBLE,
//   longitude DOUBLE, language VARCHAR, text VARCHAR, channels MAP(VARCHAR, DOUBLE), fields MAP(VARCHAR, VARCHAR),
//   original BLOB, file VARCHAR, begin UBIGINT, "end" UBIGINT, reader VARCHAR
// An absent value is NULL.
struct Record {
  std::string id;               // ContentId({source, kind, original bytes}): the same record from two files has one id
  std::string source;           // the name in the project file
  std::string kind;             // "package", "changelog-entry", "page", "row", ...
  std::optional<int64_t> time;  // microseconds since 1970-01-01T00:00:00Z
  std::string author;
  std::optional<double> latitude;                           // degrees
  std::optional<double> longitude;                          // degrees
  std::string language;                                     // BCP 47, when the source states it
  std::string text;                                         // UTF-8
  std::vector<std::pair<std::string, double>> channels;     // numeric, sorted by name
  std::vector<std::pair<std::string, std::string>> fields;  // everything else the source names, sorted by name
  std::string original;  // the bytes as received; stored as NULL when equal to `text`
  Origin origin;
  std::string reader;  // reader and version, such as "jsonl/1"
};

// A piece of input that is not a record, with the reason. Written to rejects/<source>.jsonl.
struct Reject {
  Origin origin;
  std::string reason;
};

// What a model reads. The schema of documents/, corpus/ (dropped/ adds rule and reason), in this order:
//   id VARCHAR, text VARCHAR, time TIMESTAMP, language VARCHAR, sources VARCHAR[], parents VARCHAR[], meta VARCHAR
//   (JSON)
struct Document {
  std::string id;    // ContentId({text, parents...}) where Rhodes made it; the input's own id in standalone stages
  std::string text;  // UTF-8
  std::optional<int64_t> time;  // microseconds since the epoch
  std::string language;
  std::vector<std::string> sources;  // sorted, unique
  std::vector<std::string> parents;  // ids of all records it was made from
  std::string meta;                  // a JSON object or empty
};

}  // namespace rhodes

#endif  // RHODES_RECORD_RECORD_H_
