#include <map>

#include "train/train.h"

namespace rhodes {

ModelConfig MakeConfig(int64_t layers, int64_t width, int64_t vocabulary, int64_t context) {
  ModelConfig config;
  config.vocabulary_size = vocabulary;
  config.hidden_size = width;
  config.intermediate_size = (width * 8 / 3 + 127) / 128 * 128;
  config.layers = layers;
  config.head_dim = width >= 256 ? 64 : 32;
  config.heads = config.kv_heads = width / config.head_dim;
  config.max_positions = context;
  return config;
}

absl::StatusOr<ModelConfig> PresetConfig(const std::string& name) {
  constexpr int64_t kContext = 256;
  static const std::map<std::string, ModelConfig> presets = {{"124m", MakeConfig(12, 768, 50304, kContext)},
                                                             {"14m", MakeConfig(6, 384, 8192, kContext)},
                                                             {"1.4m", MakeConfig(4, 128, 4096, kContext)}};
  const auto found = presets.find(name);
  if (found == presets.end()) {
    return UsageError(fmt::format("preset \"{}\" is not known; there are 124m, 14m and 1.4m", name));
  }
  return found->second;
}

}  // namespace rhodes
