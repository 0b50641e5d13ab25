// Looking at entities, and deciding about them.
#ifndef RHODES_ENTITY_BROWSE_H_
#define RHODES_ENTITY_BROWSE_H_

#include <string>

#include "base/json.h"
#include "base/run_context.h"

namespace rhodes {

struct EntityQuery {
  std::string kind;  // empty: all
  std::string find;  // a part of its name or of an attribute or key, in any case; empty: all
  uint64_t limit = 20;
};
// {"counts": {...}, "found": N, "entities": [{"id", "kind", "name", "mentions", "records", "sources"}]}, those with the
// most mentions first. NOT_FOUND when `out` has no entities.
absl::StatusOr<Json> ListEntities(const std::string& out, const EntityQuery& query);

// One entity by its id or the beginning of it (six digits at least): {"id", "kind", "name", "attributes", "keys",
// "sources", "mentions": [...], "links": [{"id", "a", "b", "reason", "state", "score", "evidence"}]}; links of its
// mentions that were undone or refused are among them. NOT_FOUND; UsageError when several begin so.
absl::StatusOr<Json> ShowEntity(const std::string& out, const std::string& id);

// Takes the link with this id (or the beginning of it) apart, or holds two mentions together (by id, or by the id of
// their entity, which stands for its first mention), and makes the entities again. Hold OUT's lock. UsageError when
// there is no such link or mention, when the two are of different kinds, or are held apart by different values of a
// key: then nothing is kept. {"decision", "kind", "a", "b", "reason", "time", "counts"}.
absl::StatusOr<Json> UndoLink(const std::string& out, const std::string& link, const std::string& reason,
                              RunContext& context);
absl::StatusOr<Json> LinkMentions(const std::string& out, const std::string& a, const std::string& b,
                                  const std::string& reason, RunContext& context);

}  // namespace rhodes

#endif  // RHODES_ENTITY_BROWSE_H_
