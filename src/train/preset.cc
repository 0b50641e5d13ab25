#include <fmt/ranges.h>

#include <cmath>
#include <string>
#include <vector>

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

namespace {

// Grok-2's proportions at 58 million weights, 23 million of them active: what the released config.json sets, with its
// embedding multiplier √width.
ModelConfig MakeGrok2(int64_t layers, int64_t width, int64_t vocabulary, int64_t context) {
  ModelConfig config = MakeConfig(layers, width, vocabulary, context);
  config.architecture = Architecture::kGrok2;
  config.model_type = "grok2";
  config.tie_embeddings = false;
  config.kv_heads = config.heads / 3;
  config.experts = 8;
  config.experts_per_token = 2;
  config.expert_intermediate = 2 * width;
  config.embedding_multiplier = std::sqrt(static_cast<double>(width));
  config.output_multiplier = 0.5;
  config.attention_cap = 30;
  config.router_cap = 30;
  config.final_cap = 50;
  return config;
}

struct Preset {
  const char* name;
  ModelConfig config;
};

const std::vector<Preset>& Presets() {
  constexpr int64_t kContext = 256;
  static const std::vector<Preset> presets = {{"124m", MakeConfig(12, 768, 50304, kContext)},
                                              {"14m", MakeConfig(6, 384, 8192, kContext)},
                                              {"1.4m", MakeConfig(4, 128, 4096, kContext)},
                                              {"grok2-60m", MakeGrok2(6, 384, 8192, kContext)}};
  return presets;
}

}  // namespace

std::vector<std::string> PresetNames() {
  std::vector<std::string> names;
  for (const Preset& preset : Presets()) names.emplace_back(preset.name);
  return names;
}

absl::StatusOr<ModelConfig> PresetConfig(const std::string& name) {
  for (const Preset& preset : Presets()) {
    if (preset.name == name) return preset.config;
  }
  return UsageError(fmt::format("preset \"{}\" is not known; there are {}", name, fmt::join(PresetNames(), ", ")));
}

}  // namespace rhodes
