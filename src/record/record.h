// The row types that everything passes: a record as a source gave it, and a document made from records.
#ifndef RHODES_RECORD_RECORD_H_
#define RHODES_RECORD_RECORD_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rhodes {

// Where a record's bytes lie: `file` as an absolute path (a member of an archive: "archive.zip!/member"), and the half
// open byte range [begin, end) of the *uncompressed* file that holds exactly that record. Of a stream `file` is its
// address without what is secret, and the range a position in it (of a Kafka message: its offset and the next one).
struct Origin {
  std::string file;
  uint64_t begin = 0;
  uint64_t end = 0;
};

// The finest unit that the source stated a time to; what is finer in Record::time is zero.
enum class TimePrecision : uint8_t { kNone, kYear, kMonth, kDay, kHour, kMinute, kSecond, kMillisecond, kMicrosecond };
// "year" to "microsecond"; "" for kNone.
std::string_view NameOf(TimePrecision precision);

// A notice that something said before, or later in the input, is to be taken back. Its effect is the store's: what it
// names is not stored, and is removed where it was, whatever the order (store/takedown.h).
struct Takedown {
  enum class Kind : uint8_t {
    kPost,        // the post `post`, and every repost and quoted copy of it
    kAuthor,      // everything by the author `author`
    kAuthorPlace  // latitude, longitude and place of the posts of `author` up to the number `up_to_post`
  };
  Kind kind = Kind::kPost;
  uint64_t post = 0;  // X's number of the post
  uint64_t author = 0;
  uint64_t up_to_post = 0;
};

// What a post is in its platform's own numbers, by which takedowns find it. 0: none.
struct PostNumbers {
  uint64_t post = 0;
  uint64_t author = 0;
  uint64_t repost_of = 0;
  uint64_t repost_author = 0;
  uint64_t quote_of = 0;
  uint64_t quote_author = 0;
};

// One thing that a source said. The schema of `records/<source>/part-*.parquet`, in this order:
//   id VARCHAR, source VARCHAR, kind VARCHAR, time TIMESTAMP (UTC, microseconds), time_precision VARCHAR,
//   author VARCHAR, latitude DOUBLE, longitude DOUBLE, language VARCHAR, text VARCHAR, channels MAP(VARCHAR, DOUBLE),
//   units MAP(VARCHAR, VARCHAR), fields MAP(VARCHAR, VARCHAR), original BLOB, file VARCHAR, begin UBIGINT,
//   "end" UBIGINT, reader VARCHAR
// An absent value is NULL.
struct Record {
  std::string id;               // ContentId({source, kind, original bytes}): the same record from two files has one id
  std::string source;           // the name in the project file
  std::string kind;             // "package", "changelog-entry", "page", "row", ...
  std::optional<int64_t> time;  // microseconds since 1970-01-01T00:00:00Z
  TimePrecision time_precision = TimePrecision::kNone;
  std::string author;                                       // who said it, or the device: a VIN, a dish's id
  std::optional<double> latitude;                           // degrees
  std::optional<double> longitude;                          // degrees
  std::string language;                                     // BCP 47, when the source states it
  std::string text;                                         // UTF-8
  std::vector<std::pair<std::string, double>> channels;     // numeric and finite, sorted by name
  std::vector<std::pair<std::string, std::string>> units;   // of channels that have one: "km/h"; sorted by name
  std::vector<std::pair<std::string, std::string>> fields;  // everything else the source names, sorted by name
  std::string original;  // the bytes as received; stored as NULL when equal to `text`
  Origin origin;
  std::string reader;  // reader and version, such as "jsonl/1"

  // Not stored as columns.
  std::optional<Takedown> takedown;  // this record is such a notice
  PostNumbers numbers;               // of posts
};

// A piece of input that is not a record, with the reason. Written to rejects/<source>.jsonl.
struct Reject {
  Origin origin;
  std::string reason;
  std::string bytes = {};  // as received, where the input cannot be read again (a stream); stored in base64
};

// A piece of a document's text that was taken from one of its parents.
struct Span {
  uint64_t begin = 0;  // bytes of Document::text, half open, begin < end
  uint64_t end = 0;
  uint64_t parent = 0;  // index into Document::parents
  friend bool operator==(const Span&, const Span&) = default;
};

// What a model reads. The schema of documents/, corpus/ (dropped/ adds rule and reason), in this order:
//   id VARCHAR, text VARCHAR, time TIMESTAMP, language VARCHAR, sources VARCHAR[], parents VARCHAR[], meta VARCHAR
//   (JSON), spans STRUCT("begin" UBIGINT, "end" UBIGINT, parent UBIGINT)[]
struct Document {
  std::string id;    // ContentId({text, parents...}) where Rhodes made it; the input's own id in standalone stages
  std::string text;  // UTF-8
  std::optional<int64_t> time;  // microseconds since the epoch
  std::string language;
  std::vector<std::string> sources;  // sorted, unique
  std::vector<std::string> parents;  // ids of all records it was made from
  std::string meta;                  // a JSON object or empty
  // Which pieces are from which parents; they may overlap, and what lies in none is from none. Empty: the whole text is
  // from all parents.
  std::vector<Span> spans;
};

}  // namespace rhodes

#endif  // RHODES_RECORD_RECORD_H_
