// The constellation: a small simulated world whose truth is known. Dishes, vehicles, people and a news desk live
// through the same hidden events, and each writes the wire format of its kind, with noise. docs/constellation.md
// describes it.
#ifndef RHODES_WORLD_WORLD_H_
#define RHODES_WORLD_WORLD_H_

#include <cstdint>
#include <map>
#include <string>

#include "base/json.h"
#include "base/run_context.h"

namespace rhodes {

struct WorldSettings {
  uint64_t seed = 1;
  int dishes = 40;     // 4 to 200,000; as many vehicles, five people a dish, a town for every four
  int hours = 72;      // 6 to 8,760
  double noise = 1.0;  // 0 to 16: scales gaps, duplicates, skew, deletions, corruption, chatter and misinformation
  std::string directory;
};

// What a source emitted. Records, before the reader's view of them:
//   read = unique + duplicates + corrupted;  stored = unique - taken_back
struct WorldSourceCounts {
  uint64_t unique = 0;      // distinct records, deleted ones and notices included
  uint64_t duplicates = 0;  // written again, to the byte
  uint64_t corrupted = 0;   // pieces that no reader can take for a record
  uint64_t taken_back = 0;  // of `unique`: posts that a notice deletes, and reposts of them
  uint64_t keys = 0;  // sum (mod 2^64) of the fingerprints of the keys of what must be stored (world/record_key.h)
};

struct WorldReport {
  uint64_t events = 0;
  uint64_t witnesses = 0;  // (record, event) pairs in truth.jsonl
  uint64_t bytes = 0;      // written in all
  std::map<std::string, WorldSourceCounts> sources;
};
Json ToJson(const WorldReport& report);

// Writes the files of the world and truth.jsonl below `settings.directory`, which must not exist or be empty; whole or
// not at all. The bytes are a function of seed, dishes, hours and noise. Memory: about 10 kB a dish, independent of
// hours but for a few hundred bytes an event. UsageError for settings out of range or a directory that is in use.
absl::StatusOr<WorldReport> MakeWorld(const WorldSettings& settings, RunContext& context);

}  // namespace rhodes

#endif  // RHODES_WORLD_WORLD_H_
