// [[entity]] of the project file.
#ifndef RHODES_PROJECT_ENTITY_SETTINGS_H_
#define RHODES_PROJECT_ENTITY_SETTINGS_H_

#include <string>
#include <vector>

#include "entity/settings.h"
#include "project/toml_table.h"

namespace rhodes {

// Reads all tables [[entity]] of `root`; `sources` are those that the project has, `directory` is what relative paths
// count from. What is wrong goes to the tables' errors. docs/entities.md describes every key.
std::vector<EntityKind> ReadEntityKinds(TomlTable& root, const std::vector<std::string>& sources,
                                        const std::string& directory);

}  // namespace rhodes

#endif  // RHODES_PROJECT_ENTITY_SETTINGS_H_
