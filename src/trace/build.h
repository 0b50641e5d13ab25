// Building the trace index: suffix arrays over the training tokens, and who their documents are.
#ifndef RHODES_TRACE_BUILD_H_
#define RHODES_TRACE_BUILD_H_

#include <cstdint>
#include <string>

#include "base/json.h"
#include "base/run_context.h"

namespace rhodes {

struct TraceBuildOptions {
  std::string out;              // receives trace/
  std::string corpus_dir;       // empty: OUT/corpus; the documents that the shards were made from, in the same order
  std::string shards_dir;       // empty: OUT/shards
  uint64_t segment_tokens = 0;  // 0: as many as context.memory_bytes allows
  std::string key;
  Json settings = Json::object();
};

struct TraceBuildReport {
  uint64_t tokens = 0;
  uint64_t documents = 0;
  uint64_t segments = 0;
  uint64_t bytes = 0;  // of the index
  double seconds = 0;
};
Json ToJson(const TraceBuildReport& report);

// Writes OUT/trace, whole or not at all. The bytes do not depend on the number of threads. The tokens themselves are
// not copied: the index is used together with the shards. Memory: about 24 bytes a token of the segments that are built
// at once, which are cut (at documents) to fit context.memory_bytes.
//
// FAILED_PRECONDITION when the corpus has not the rows that the shards' lineage names.
absl::StatusOr<TraceBuildReport> BuildTraceIndex(const TraceBuildOptions& options, RunContext& context);

}  // namespace rhodes

#endif  // RHODES_TRACE_BUILD_H_
