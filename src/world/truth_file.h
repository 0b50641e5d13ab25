// Reading truth.jsonl.
#ifndef RHODES_WORLD_TRUTH_FILE_H_
#define RHODES_WORLD_TRUTH_FILE_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/status.h"

namespace rhodes {

// What a truth says, with records as the fingerprints of their keys (world/record_key.h).
struct WorldTruth {
  struct Event {
    std::string id;
    std::string kind;
    std::vector<uint64_t> records;  // sorted, distinct
  };
  struct Total {
    uint64_t unique = 0;
    uint64_t duplicates = 0;
    uint64_t corrupted = 0;
    uint64_t taken_back = 0;
    uint64_t keys = 0;  // sum of the fingerprints of what must be stored
  };
  std::vector<Event> events;
  std::unordered_map<uint64_t, std::string> sources;  // of the events' records
  std::unordered_set<uint64_t> deleted;
  std::unordered_set<uint64_t> rumours;
  std::map<std::string, Total> totals;  // by source
};

// UsageError "`what`: line N: ..." for lines that are no JSON, of another type or format, or when no source's total is
// there (the file broke off). Memory: about 100 bytes a witness.
absl::StatusOr<WorldTruth> ParseTruth(std::string_view text, std::string_view what);

}  // namespace rhodes

#endif  // RHODES_WORLD_TRUTH_FILE_H_
