// The ways in which sources mention entities of one kind, read with SQL.
#ifndef RHODES_ENTITY_MENTION_H_
#define RHODES_ENTITY_MENTION_H_

#include <string>
#include <vector>

#include "entity/settings.h"
#include "table/database.h"

namespace rhodes {

// A distinct set of values of a source.
struct Mention {
  std::string id;  // ContentId of kind, source, keys and attributes
  std::string source;
  std::vector<std::string> keys;        // in the order of EntityKind::keys, as written; empty: none
  std::vector<std::string> attributes;  // in the order of EntityKind::Attributes()
  uint64_t records = 0;
};

struct Mentions {
  std::vector<Mention> all;    // sorted by id
  std::vector<uint64_t> rows;  // of each `from`: distinct rows in its table
  uint64_t records = 0;        // of the sources
  uint64_t mentioning = 0;
};

// Reads all. For each `from` number F of `kind`, which is number K, a temporary table "rhodes_mention_K_F"
// (keys and attributes as k0.. and a0.., mention VARCHAR) stays in `database`, by which records find their mention.
absl::StatusOr<Mentions> ReadMentions(Database& database, const EntityKind& kind, size_t number, uint64_t memory_bytes);

// SELECT record id and mention id of the records behind `from` number F, in the order of the record ids.
std::string RecordsSql(const EntityKind& kind, size_t number, size_t from);

}  // namespace rhodes

#endif  // RHODES_ENTITY_MENTION_H_
