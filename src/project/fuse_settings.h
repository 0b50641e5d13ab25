// What [fuse] in a project file says of templates and of how views are made.
#ifndef RHODES_PROJECT_FUSE_SETTINGS_H_
#define RHODES_PROJECT_FUSE_SETTINGS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "fuse/fuse.h"
#include "project/toml_table.h"

namespace rhodes {

// "10 minutes", "1 day" (seconds to weeks): microseconds. Nothing for anything else.
std::optional<int64_t> ParseDuration(std::string_view text);

// [[fuse.template]]: name, language, digits, text, which begins in `line` of `file`.
void ReadTemplate(TomlTable& table, const std::string& file, int line, std::vector<TemplateSettings>& templates);

// slices = { by = "time", every = "1 day", margin = "10 minutes" } of a view.
void ReadSlices(TomlTable& view_table, FuseView& view);

// All of it that changes documents, for the key and the manifest of the stage.
Json FuseSettingsOf(const std::vector<FuseView>& views, const std::vector<TemplateSettings>& templates);

}  // namespace rhodes

#endif  // RHODES_PROJECT_FUSE_SETTINGS_H_
