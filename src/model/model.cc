#include "model/model.h"

#include <new>

#include "model/grok2.h"
#include "model/llama.h"

namespace rhodes {

absl::StatusOr<std::unique_ptr<Model>> Model::Create(const ModelConfig& config, const ModelOptions& options) {
  RETURN_IF_ERROR(config.Validate());
  try {
    return config.architecture == Architecture::kGrok2 ? CreateGrok2(config, options) : CreateLlama(config, options);
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError(
        fmt::format("model: {} bytes of memory are not to be had; use a smaller batch, context or model",
                    MemoryBytes(config, options)));
  }
}

uint64_t Model::MemoryBytes(const ModelConfig& config, const ModelOptions& options) {
  return config.architecture == Architecture::kGrok2 ? Grok2MemoryBytes(config, options)
                                                     : LlamaMemoryBytes(config, options);
}

void DocumentStarts(std::span<const uint32_t> tokens, int64_t length, uint32_t end_of_text, std::span<int32_t> starts) {
  int32_t start = 0;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const int32_t position = static_cast<int32_t>(i % static_cast<size_t>(length));
    if (position == 0) start = 0;
    if (tokens[i] == end_of_text) start = position;
    starts[i] = start;
  }
}

std::string_view SectionName(Section section) {
  switch (section) {
    case Section::kEmbedding:
      return "embedding";
    case Section::kNorm:
      return "norms";
    case Section::kProducts:
      return "products";
    case Section::kHeadProducts:
      return "head_products";
    case Section::kAttention:
      return "attention";
    case Section::kActivation:
      return "activation";
    case Section::kRouter:
      return "router";
    case Section::kLoss:
      return "loss";
    case Section::kOptimizer:
      return "optimizer";
    case Section::kCount:
      break;
  }
  return "";
}

double TrainingFlopsPerToken(const ModelConfig& config, int64_t context) {
  const double products = static_cast<double>(ParameterLayout(config).product_count());
  return 6.0 * products + 12.0 * static_cast<double>(config.layers * config.heads * config.head_dim * context);
}

}  // namespace rhodes
