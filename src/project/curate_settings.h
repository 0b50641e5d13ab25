// [curate] of a project file.
#ifndef RHODES_PROJECT_CURATE_SETTINGS_H_
#define RHODES_PROJECT_CURATE_SETTINGS_H_

#include <string>

#include "curate/settings.h"
#include "project/toml_table.h"

namespace rhodes {

// Reads the table; what is wrong goes to its errors. Paths in it count from `directory`.
void ReadCurateSettings(TomlTable& table, const std::string& directory, CurateSettings& settings);

}  // namespace rhodes

#endif  // RHODES_PROJECT_CURATE_SETTINGS_H_
