// Small JSON (manifests, settings, API bodies). Bulk input goes through simdjson in src/source instead.
#ifndef RHODES_BASE_JSON_H_
#define RHODES_BASE_JSON_H_

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/status.h"

namespace rhodes {

// Keys keep the order in which they were written.
using Json = nlohmann::ordered_json;

// INVALID_ARGUMENT "`what`: byte N: ..." when `text` is not JSON.
absl::StatusOr<Json> ParseJson(std::string_view text, std::string_view what);
absl::StatusOr<Json> ReadJsonFile(const std::string& path);
// Invalid UTF-8 inside strings is replaced by U+FFFD. `indent` < 0: one line.
std::string DumpJson(const Json& json, int indent = -1);
// Appends `text` as a JSON string, quotes included: what DumpJson(Json(text)) gives, at memory speed.
void AppendJsonString(std::string_view text, std::string& out);

}  // namespace rhodes

#endif  // RHODES_BASE_JSON_H_
