// Checking folders of shards: OUT/shards, and what `rhodes tokenize --shards` wrote elsewhere, in any format.
#ifndef RHODES_PROJECT_CHECK_SHARDS_H_
#define RHODES_PROJECT_CHECK_SHARDS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/run_context.h"
#include "project/check.h"

namespace rhodes {

struct CheckedShards {
  uint64_t documents = 0;
  uint64_t tokens = 0;
  std::vector<uint64_t> rows;  // of the corpus, of all documents of both splits
  bool whole = true;           // nothing was wrong with the files
};

// Reads all shards of both splits of `directory` and adds what is wrong to `report`, with files as `prefix` and their
// path below the directory.
absl::StatusOr<CheckedShards> CheckShardFiles(const std::string& directory, const std::string& prefix,
                                              const char* repair, CheckReport& report, RunContext& context);

// Whether `directory` is a folder of shards of its own: its manifest is of the tokenize stage.
bool IsShardsFolder(const std::string& directory);

// The report of such a folder: its files, and the counts of its manifest.
absl::StatusOr<CheckReport> CheckShardsFolder(const std::string& directory, RunContext& context);

}  // namespace rhodes

#endif  // RHODES_PROJECT_CHECK_SHARDS_H_
