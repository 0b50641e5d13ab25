// The ingest stage: files of any known format into the one database, with lineage and a reject log.
#ifndef RHODES_INGEST_INGEST_H_
#define RHODES_INGEST_INGEST_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/run_context.h"
#include "ingest/input_feed.h"
#include "record/rights.h"
#include "source/format.h"
#include "store/record_store.h"

namespace rhodes {

struct IngestOptions {
  std::vector<std::string> paths;  // files, directories, globs; see ResolveInputs
  std::string format = "auto";     // a name of docs/sources.md, or "auto": decided for each file
  std::string name;                // of the source
  std::string out;                 // OUT
  RecordWriter::Mode mode = RecordWriter::Mode::kReplace;
  ColumnMap columns;
  std::string language;                        // of records that state none
  std::string time_zone;                       // IANA name, of times that state no zone; empty: UTC
  std::optional<int64_t> polled_at;            // when a device gave answers that hold no time
  double reject_tolerance = 1.0;               // share of what was read that may be rejected
  uint64_t record_limit = uint64_t{64} << 20;  // bytes; a longer record is rejected
  std::optional<Rights> rights;                // as stated; not part of the key
  std::string key;                             // goes into the manifest
  Json settings = Json::object();              // goes into the manifest
};

struct IngestReport {
  IngestCounts counts;
  uint64_t files = 0;
  std::vector<SkippedInput> skipped;  // files of which nothing is read, on purpose
  double seconds = 0;
};

// Reads all inputs in order and stores their records. The stored bytes do not depend on the number of threads.
// Memory: at most half of `context.memory_bytes` in input and records on their way, beside what the store needs.
//
// NOT_FOUND naming a path that is not there; INVALID_ARGUMENT for an unknown format or a source name that is no file
// name; RejectedError when more than `reject_tolerance` of what was read was rejected (nothing is stored then, and the
// message shows the first rejects); INTERNAL when the counts do not add up.
absl::StatusOr<IngestReport> Ingest(const IngestOptions& options, RunContext& context);

// read, stored, duplicates, rejected, bytes, seconds, files, known, skipped.
Json ToJson(const IngestReport& report);

}  // namespace rhodes

#endif  // RHODES_INGEST_INGEST_H_
