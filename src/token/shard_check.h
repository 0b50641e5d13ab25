// Whether the shards of a folder, in any of the formats, are as they were written.
#ifndef RHODES_TOKEN_SHARD_CHECK_H_
#define RHODES_TOKEN_SHARD_CHECK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/run_context.h"
#include "base/status.h"
#include "token/shard_format.h"

namespace rhodes {

struct ShardProblem {
  std::string path;
  std::string what;  // "bytes 1048576 to 2097152: the checksum is wrong"
};

// Of one split. Counts are of the shards whose lineage can be read.
struct ShardCheck {
  ShardFormat format = ShardFormat::kMegatron;
  uint64_t shards = 0;
  uint64_t documents = 0;
  uint64_t tokens = 0;
  uint64_t text_bytes = 0;
  uint64_t data_bytes = 0;
  uint64_t lineage_bytes = 0;
  std::vector<uint64_t> rows;          // of the corpus, in the order of the documents
  std::vector<ShardProblem> problems;  // by shard: the first of its data, and the first of each file beside it
};

// Reads every byte of a split's shards once: data against the checksums in the .lineage, and index and other files
// beside them against what the format's layout makes of the documents that the lineage states. context.threads compare
// checksums. Memory: 40 bytes a document of a shard.
// NOT_FOUND when the folder has no shards of the split. What is damaged is a problem, not an error.
absl::StatusOr<ShardCheck> CheckShards(const std::string& directory, const std::string& split, RunContext& context);

}  // namespace rhodes

#endif  // RHODES_TOKEN_SHARD_CHECK_H_
