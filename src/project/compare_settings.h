// [compare] of a project file.
#ifndef RHODES_PROJECT_COMPARE_SETTINGS_H_
#define RHODES_PROJECT_COMPARE_SETTINGS_H_

#include "project/toml_table.h"
#include "value/compare.h"

namespace rhodes {

// Reads the table; what is wrong goes to its errors.
void ReadCompareSettings(TomlTable& table, CompareSettings& settings);

}  // namespace rhodes

#endif  // RHODES_PROJECT_COMPARE_SETTINGS_H_
