// OUT/entities on disk: which tables there are and what columns they have.
#ifndef RHODES_STORE_ENTITY_TABLES_H_
#define RHODES_STORE_ENTITY_TABLES_H_

#include <string>

#include "base/status.h"
#include "table/database.h"

namespace rhodes {

// A table of Parquet parts in OUT/entities/<folder>, and the view that SQL sees it as.
struct EntityTable {
  const char* folder;
  const char* view;
  const char* columns;  // as in CREATE TABLE
};
// `entities`: who there is. `name` and `attributes` are the values that most records have.
extern const EntityTable kEntities;
// `entity_mentions`: every set of values by which a source mentions an entity; `records` have it.
extern const EntityTable kEntityMentions;
// `entity_links`: why two mentions are one, or why not. reason: key, score, user. state: kept, undone, refused.
// `evidence` is a JSON object.
extern const EntityTable kEntityLinks;
// `record_entities`: of each record the entity it mentions, once for each kind.
extern const EntityTable kRecordEntities;

// The four views, and nothing when `out` has no entities. A name that is taken (a source of that name) is passed over.
absl::Status CreateEntityViews(Database& database, const std::string& out);

}  // namespace rhodes

#endif  // RHODES_STORE_ENTITY_TABLES_H_
