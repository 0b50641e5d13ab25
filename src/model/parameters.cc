#include "model/parameters.h"

#include <utility>

namespace rhodes {

ParameterLayout::ParameterLayout(const ModelConfig& config)
    : tied_(config.tie_embeddings), experts_(config.experts), experts_per_token_(config.experts_per_token) {
  const int64_t width = config.hidden_size;
  embedding_ = Add("model.embed_tokens.weight", config.vocabulary_size, width, ParameterKind::kEmbedding);
  for (int64_t i = 0; i < config.layers; ++i) {
    const std::string prefix = "model.layers." + std::to_string(i) + ".";
    Layer layer;
    StartGroup();
    layer.begin = size_;
    if (config.architecture == Architecture::kGrok2) {
      AddGrok2Layer(config, prefix, layer);
    } else {
      AddLlamaLayer(config, prefix, layer);
    }
    StartGroup();
    layer.end = size_;
    layers_.push_back(std::move(layer));
  }
  final_norm_ = AddVector("model.norm.weight", width);
  StartGroup();
  head_ = tied_ ? embedding_ : Add("lm_head.weight", config.vocabulary_size, width, ParameterKind::kHead);
  StartGroup();
}

void ParameterLayout::AddAttention(const ModelConfig& config, const std::string& prefix, Layer& layer) {
  const int64_t width = config.hidden_size;
  const int64_t query = config.query_width();
  const int64_t key = config.kv_width();
  const std::string own = prefix + "self_attn.";
  StartGroup();
  layer.qkv = Add(own + "q_proj.weight", query, width, ParameterKind::kMatrix);
  Add(own + "k_proj.weight", key, width, ParameterKind::kMatrix);
  Add(own + "v_proj.weight", key, width, ParameterKind::kMatrix);
  if (config.qkv_bias) {
    layer.qkv_bias = AddVector(own + "q_proj.bias", query);
    Add(own + "k_proj.bias", 1, key, ParameterKind::kVector);
    Add(own + "v_proj.bias", 1, key, ParameterKind::kVector);
  }
  if (config.qk_norm) {
    layer.q_norm = AddVector(own + "q_norm.weight", config.head_dim);
    layer.k_norm = AddVector(own + "k_norm.weight", config.head_dim);
  }
  StartGroup();
  layer.output = Add(own + "o_proj.weight", width, query, ParameterKind::kMatrix);
  if (config.output_bias) layer.output_bias = AddVector(own + "o_proj.bias", width);
}

void ParameterLayout::AddLlamaLayer(const ModelConfig& config, const std::string& prefix, Layer& layer) {
  const int64_t width = config.hidden_size;
  const int64_t inner = config.intermediate_size;
  layer.attention_norm = AddVector(prefix + "input_layernorm.weight", width);
  AddAttention(config, prefix, layer);
  layer.mlp_norm = AddVector(prefix + "post_attention_layernorm.weight", width);
  StartGroup();
  layer.mlp.gate_up = Add(prefix + "mlp.gate_proj.weight", inner, width, ParameterKind::kMatrix);
  Add(prefix + "mlp.up_proj.weight", inner, width, ParameterKind::kMatrix);
  if (config.mlp_bias) {
    layer.mlp.gate_up_bias = AddVector(prefix + "mlp.gate_proj.bias", inner);
    Add(prefix + "mlp.up_proj.bias", 1, inner, ParameterKind::kVector);
  }
  StartGroup();
  layer.mlp.down = Add(prefix + "mlp.down_proj.weight", width, inner, ParameterKind::kMatrix);
  if (config.mlp_bias) layer.mlp.down_bias = AddVector(prefix + "mlp.down_proj.bias", width);
}

void ParameterLayout::AddGrok2Layer(const ModelConfig& config, const std::string& prefix, Layer& layer) {
  const int64_t width = config.hidden_size;
  layer.attention_norm = AddVector(prefix + "pre_attn_norm.weight", width);
  AddAttention(config, prefix, layer);
  layer.attention_post_norm = AddVector(prefix + "post_attn_norm.weight", width);
  layer.mlp_norm = AddVector(prefix + "pre_moe_norm.weight", width);
  StartGroup();
  layer.mlp.gate_up = Add(prefix + "mlp.gate_proj.weight", config.intermediate_size, width, ParameterKind::kMatrix);
  Add(prefix + "mlp.up_proj.weight", config.intermediate_size, width, ParameterKind::kMatrix);
  StartGroup();
  layer.mlp.down = Add(prefix + "mlp.down_proj.weight", width, config.intermediate_size, ParameterKind::kMatrix);
  StartGroup();
  layer.router = Add(prefix + "block_sparse_moe.gate.weight", config.experts, width, ParameterKind::kRouter);
  for (int64_t e = 0; e < config.experts; ++e) {
    const std::string own = prefix + "block_sparse_moe.experts." + std::to_string(e) + ".";
    const int64_t inner = config.expert_intermediate;
    GatedLayer expert;
    StartGroup();
    expert.gate_up = Add(own + "w1.weight", inner, width, ParameterKind::kMatrix, true);
    Add(own + "w3.weight", inner, width, ParameterKind::kMatrix, true);
    StartGroup();
    expert.down = Add(own + "w2.weight", width, inner, ParameterKind::kMatrix, true);
    layer.experts.push_back(expert);
  }
  layer.mlp_post_norm = AddVector(prefix + "post_moe_norm.weight", width);
}

int64_t ParameterLayout::Add(std::string name, int64_t rows, int64_t columns, ParameterKind kind, bool expert) {
  const int64_t offset = size_;
  parameters_.push_back({std::move(name), rows, columns, kind, offset, expert});
  size_ += rows * columns;
  return offset;
}

int64_t ParameterLayout::AddVector(std::string name, int64_t size) {
  StartGroup();
  return Add(std::move(name), 1, size, ParameterKind::kVector);
}

void ParameterLayout::StartGroup() { size_ = (size_ + 31) / 32 * 32; }

int64_t ParameterLayout::count() const {
  int64_t count = 0;
  for (const Parameter& parameter : parameters_) count += parameter.size();
  return count;
}

int64_t ParameterLayout::product_count() const {
  int64_t count = 0;
  int64_t of_experts = 0;
  for (const Parameter& parameter : parameters_) {
    if (parameter.expert) {
      of_experts += parameter.size();
    } else if (parameter.matrix() && (tied_ || parameter.kind != ParameterKind::kEmbedding)) {
      count += parameter.size();
    }
  }
  return count + (experts_ > 0 ? of_experts / experts_ * experts_per_token_ : 0);
}

}  // namespace rhodes
