#include "model/config_keys.h"

namespace rhodes {

bool ConfigKeys::Has(const char* key) const {
  const auto found = json_.find(key);
  return found != json_.end() && !found->is_null();
}

int64_t ConfigKeys::Integer(const char* key, std::optional<int64_t> otherwise) {
  const Json* value = Find(key, !otherwise.has_value());
  if (value == nullptr) return otherwise.value_or(0);
  if (!value->is_number_integer()) return Fail(key, *value, "an integer"), 0;
  return value->get<int64_t>();
}

double ConfigKeys::Number(const char* key, std::optional<double> otherwise) {
  const Json* value = Find(key, !otherwise.has_value());
  if (value == nullptr) return otherwise.value_or(0);
  if (!value->is_number()) return Fail(key, *value, "a number"), 0;
  return value->get<double>();
}

bool ConfigKeys::Boolean(const char* key, bool otherwise) {
  const Json* value = Find(key, false);
  if (value == nullptr) return otherwise;
  if (!value->is_boolean()) return Fail(key, *value, "true or false"), false;
  return value->get<bool>();
}

std::string ConfigKeys::String(const char* key, const std::string& otherwise) {
  const Json* value = Find(key, false);
  if (value == nullptr) return otherwise;
  if (!value->is_string()) return Fail(key, *value, "a string"), "";
  return value->get<std::string>();
}

int64_t ConfigKeys::Token(const char* key) {
  const Json* value = Find(key, false);
  if (value != nullptr && value->is_array() && !value->empty()) value = &value->front();
  if (value == nullptr) return -1;
  if (!value->is_number_integer()) return Fail(key, *value, "a token id or a list of them"), -1;
  return value->get<int64_t>();
}

void ConfigKeys::Only(const char* key, const Json& expected, std::string_view why) {
  const Json* value = Find(key, false);
  if (value != nullptr && *value != expected) Refuse(key, why);
}

void ConfigKeys::Refuse(const char* key, std::string_view why) {
  if (!status_.ok()) return;
  const auto value = json_.find(key);
  status_ = absl::InvalidArgumentError(
      fmt::format("{}: {} is {}: {}", what_, key, value == json_.end() ? "absent" : DumpJson(*value), why));
}

const Json* ConfigKeys::Find(const char* key, bool required) {
  const auto found = json_.find(key);
  if (found != json_.end() && !found->is_null()) return &*found;
  if (required && status_.ok()) {
    status_ = absl::InvalidArgumentError(fmt::format("{}: {} is missing", what_, key));
  }
  return nullptr;
}

void ConfigKeys::Fail(const char* key, const Json& value, std::string_view expected) {
  if (!status_.ok()) return;
  status_ = absl::InvalidArgumentError(fmt::format("{}: {} is {}, not {}", what_, key, DumpJson(value), expected));
}

}  // namespace rhodes
