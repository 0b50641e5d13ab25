#include "model/parameters.h"

#include <utility>

namespace rhodes {

ParameterLayout::ParameterLayout(const ModelConfig& config) : tied_(config.tie_embeddings) {
  const int64_t width = config.hidden_size;
  const int64_t query = config.heads * config.head_dim;
  const int64_t key = config.kv_heads * config.head_dim;
  const int64_t inner = config.intermediate_size;
  embedding_ = Add("model.embed_tokens.weight", config.vocabulary_size, width, ParameterKind::kEmbedding);
  for (int64_t i = 0; i < config.layers; ++i) {
    const std::string prefix = "model.layers." + std::to_string(i) + ".";
    Layer layer;
    StartGroup();
    layer.attention_norm = Add(prefix + "input_layernorm.weight", 1, width, ParameterKind::kVector);
    StartGroup();
    layer.qkv = Add(prefix + "self_attn.q_proj.weight", query, width, ParameterKind::kMatrix);
    Add(prefix + "self_attn.k_proj.weight", key, width, ParameterKind::kMatrix);
    Add(prefix + "self_attn.v_proj.weight", key, width, ParameterKind::kMatrix);
    StartGroup();
    layer.output = Add(prefix + "self_attn.o_proj.weight", width, query, ParameterKind::kMatrix);
    StartGroup();
    layer.mlp_norm = Add(prefix + "post_attention_layernorm.weight", 1, width, ParameterKind::kVector);
    StartGroup();
    layer.gate_up = Add(prefix + "mlp.gate_proj.weight", inner, width, ParameterKind::kMatrix);
    Add(prefix + "mlp.up_proj.weight", inner, width, ParameterKind::kMatrix);
    StartGroup();
    layer.down = Add(prefix + "mlp.down_proj.weight", width, inner, ParameterKind::kMatrix);
    layers_.push_back(layer);
  }
  StartGroup();
  final_norm_ = Add("model.norm.weight", 1, width, ParameterKind::kVector);
  StartGroup();
  head_ = tied_ ? embedding_ : Add("lm_head.weight", config.vocabulary_size, width, ParameterKind::kHead);
  StartGroup();
}

int64_t ParameterLayout::Add(std::string name, int64_t rows, int64_t columns, ParameterKind kind) {
  const int64_t offset = size_;
  parameters_.push_back({std::move(name), rows, columns, kind, offset});
  size_ += rows * columns;
  return offset;
}

void ParameterLayout::StartGroup() { size_ = (size_ + 31) / 32 * 32; }

int64_t ParameterLayout::count() const {
  int64_t count = 0;
  for (const Parameter& parameter : parameters_) count += parameter.size();
  return count;
}

int64_t ParameterLayout::product_count() const {
  int64_t count = 0;
  for (const Parameter& parameter : parameters_) {
    if (parameter.matrix() && (tied_ || parameter.offset != embedding_)) count += parameter.size();
  }
  return count;
}

}  // namespace rhodes
