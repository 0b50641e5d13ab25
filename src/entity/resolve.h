// Entities out of records: OUT/entities, by keys, decisions and scores.
#ifndef RHODES_ENTITY_RESOLVE_H_
#define RHODES_ENTITY_RESOLVE_H_

#include <string>
#include <vector>

#include "entity/settings.h"

namespace rhodes {

struct ResolveOptions {
  std::string out;
  std::vector<EntityKind> kinds;
  std::string key;  // into the manifest
};

// mentions = those in entities, always: an entity has one at least. links = kept + undone + refused.
struct ResolveCounts {
  struct Kind {
    std::string kind;
    std::string model;        // "keys", or what scored: "fellegi-sunter", "logistic", "weights"
    uint64_t records = 0;     // of its sources
    uint64_t mentioning = 0;  // of them, with one value at least
    uint64_t mentions = 0;    // distinct
    uint64_t candidates = 0;  // pairs that were compared
    uint64_t entities = 0;
    uint64_t by_key = 0;  // links that hold
    uint64_t by_score = 0;
    uint64_t by_user = 0;
    uint64_t undone = 0;
    uint64_t refused = 0;
  };
  std::vector<Kind> kinds;
  double seconds = 0;
};
Json ToJson(const ResolveCounts& counts);

// Writes OUT/entities (tables: store/entity_tables.h; manifest.json has the settings, each kind's model and the files)
// as a whole: a kill leaves the old one or the new one. The same records, settings and decisions give the same bytes
// whatever the threads.
//
// Mentions are held in memory, about 1 kB each: RESOURCE_EXHAUSTED, naming the kind, when they would take more than
// half of context.memory_bytes. Records are streamed, however many. UsageError for SQL that is wrong, naming kind and
// source; NOT_FOUND when OUT has no records.
absl::StatusOr<ResolveCounts> ResolveEntities(const ResolveOptions& options, RunContext& context);

// The same with the settings that OUT/entities was made with: after a decision, or after records went. NOT_FOUND when
// there are no entities.
absl::StatusOr<ResolveCounts> ResolveAgain(const std::string& out, RunContext& context);

}  // namespace rhodes

#endif  // RHODES_ENTITY_RESOLVE_H_
