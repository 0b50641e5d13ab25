// What people decided of entities: a journal that every run obeys.
#ifndef RHODES_ENTITY_DECISIONS_H_
#define RHODES_ENTITY_DECISIONS_H_

#include <string>
#include <vector>

#include "base/status.h"

namespace rhodes {

// One line of OUT/entity-decisions.jsonl. Mentions go by their ids, which are hashes of kind, source and values: the
// journal tells nothing of what was erased, and holds as long as the values are the same.
struct EntityDecision {
  bool together = false;  // false: the two are not one
  std::string kind;
  std::string a;  // ids of mentions
  std::string b;
  std::string reason;
  std::string time;  // RFC 3339
};

std::string DecisionsPath(const std::string& out);
// In the order they were made; none when there is no journal. DATA_LOSS naming the line for a damaged one; what a kill
// left of a last line without its end is passed over.
absl::StatusOr<std::vector<EntityDecision>> ReadDecisions(const std::string& out);
// Of several about one pair, the last.
std::vector<EntityDecision> LastDecisions(const std::vector<EntityDecision>& decisions);
// Adds a line; it is on the disk when this returns. Hold OUT's lock.
absl::Status AppendDecision(const std::string& out, const EntityDecision& decision);

}  // namespace rhodes

#endif  // RHODES_ENTITY_DECISIONS_H_
