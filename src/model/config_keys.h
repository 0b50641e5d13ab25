// Typed keys of a config.json; internal to the folder.
#ifndef RHODES_MODEL_CONFIG_KEYS_H_
#define RHODES_MODEL_CONFIG_KEYS_H_

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/status.h"

namespace rhodes {

// Reads typed keys of one JSON object and keeps the first error, so that the reading stays a list. Null counts as
// absent, as in Hugging Face's files. `json` and `what` (named in messages) must outlive it.
class ConfigKeys {
 public:
  ConfigKeys(const Json& json, std::string_view what) : json_(json), what_(what) {}

  bool Has(const char* key) const;
  // Without `otherwise` the key is required.
  int64_t Integer(const char* key, std::optional<int64_t> otherwise = {});
  double Number(const char* key, std::optional<double> otherwise = {});
  bool Boolean(const char* key, bool otherwise);
  std::string String(const char* key, const std::string& otherwise);
  // A token id, or the first of a list of them; -1 when there is none.
  int64_t Token(const char* key);
  // The key must be absent or `expected`: INVALID_ARGUMENT "`key` is ...: `why`".
  void Only(const char* key, const Json& expected, std::string_view why);
  void Refuse(const char* key, std::string_view why);
  const absl::Status& status() const { return status_; }

 private:
  const Json* Find(const char* key, bool required);
  void Fail(const char* key, const Json& value, std::string_view expected);

  const Json& json_;
  std::string_view what_;
  absl::Status status_;
};

}  // namespace rhodes

#endif  // RHODES_MODEL_CONFIG_KEYS_H_
