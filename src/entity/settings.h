// What a project says of entities: which columns mention one, what identifies it, what else is compared.
#ifndef RHODES_ENTITY_SETTINGS_H_
#define RHODES_ENTITY_SETTINGS_H_

#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "entity/compare.h"

namespace rhodes {

// [[entity.from]]: the records of `source` for which `where` holds (all when empty) each mention one entity, by SQL
// expressions over the columns of record/record.h. A record of which every expression is NULL or empty mentions none.
struct EntitySource {
  std::string source;
  std::string where;
  std::vector<std::pair<std::string, std::string>> keys;        // name of a key, expression
  std::vector<std::pair<std::string, std::string>> attributes;  // name of an attribute, expression
};

// [[entity]]
struct EntityKind {
  std::string kind;                   // "device"
  std::string name;                   // the attribute that entities are called by; empty: the first one
  std::vector<std::string> keys;      // declared identifiers, the strongest first
  std::vector<MatchAttribute> match;  // empty: keys alone decide
  double threshold = 0;               // of the score; 0: the model's own (link_model.h)
  uint64_t max_block = 100;           // a word that more mentions have finds no candidates
  std::string labels;                 // a file of labelled pairs (labelled_pairs.h); empty: none
  std::vector<EntitySource> from;

  // Of all `from` and `match`, each once, in their order.
  std::vector<std::string> Attributes() const;
};

Json ToJson(const EntityKind& kind);
// DATA_LOSS naming `path` for what ToJson() does not write.
absl::StatusOr<EntityKind> EntityKindFromJson(const Json& json, const std::string& path);

}  // namespace rhodes

#endif  // RHODES_ENTITY_SETTINGS_H_
