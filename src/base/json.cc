#include "base/json.h"

#include "base/file.h"

namespace rhodes {

absl::StatusOr<Json> ParseJson(std::string_view text, std::string_view what) {
  try {
    return Json::parse(text.begin(), text.end());
  } catch (const nlohmann::json::parse_error& error) {
    return absl::InvalidArgumentError(fmt::format("{}: byte {}: not JSON: {}", what, error.byte, error.what()));
  } catch (const nlohmann::json::out_of_range& error) {  // 1e999: a number that no double holds
    return absl::InvalidArgumentError(fmt::format("{}: {}", what, error.what()));
  }
}

absl::StatusOr<Json> ReadJsonFile(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  return ParseJson(text, path);
}

std::string DumpJson(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace rhodes
