// Any config.json is read or refused, and what is read is written and read back the same.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "model/config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto json = rhodes::ParseJson(text, "config.json");
  if (!json.ok()) return 0;
  const auto config = rhodes::ModelConfig::FromJson(*json, "config.json");
  if (!config.ok()) return 0;
  const auto again = rhodes::ModelConfig::FromJson(config->ToJson(), "config.json");
  if (!again.ok() || !(*again == *config)) std::abort();
  return 0;
}
