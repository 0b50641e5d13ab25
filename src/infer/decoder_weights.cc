#include "infer/decoder_weights.h"

#include <algorithm>
#include <string>

namespace rhodes {
namespace {

// Reads the tensors of one model one after the other.
template <typename T>
class Reader {
 public:
  Reader(const ModelConfig& config, const TensorReader& read) : config_(config), read_(read) {}

  absl::StatusOr<DecoderWeights<T>> Run() {
    const int64_t width = config_.hidden_size;
    RETURN_IF_ERROR(Matrix("model.embed_tokens.weight", config_.vocabulary_size, width, weights_.embedding));
    if (!config_.tie_embeddings) {
      RETURN_IF_ERROR(Matrix("lm_head.weight", config_.vocabulary_size, width, weights_.head));
    }
    RETURN_IF_ERROR(Vector("model.norm.weight", width, weights_.final_norm));
    for (int64_t i = 0; i < config_.layers; ++i) {
      RETURN_IF_ERROR(Layer(fmt::format("model.layers.{}.", i), weights_.layers.emplace_back()));
    }
    return std::move(weights_);
  }

 private:
  absl::Status Vector(const std::string& name, int64_t size, Buffer<float>& into) {
    into = Buffer<float>(size);
    return read_(name, {size}, into.span());
  }

  absl::Status Rows(const std::string& name, int64_t rows, int64_t columns, Packed<T>& into, int64_t first_row) {
    std::vector<float> values(static_cast<size_t>(rows * columns));
    RETURN_IF_ERROR(read_(name, {rows, columns}, values));
    for (int64_t r = 0; r < rows; ++r) {
      FastInferKernels<T>().store(values.data() + r * columns, columns,
                                  into.data.data() + (first_row + r) * into.stride);
    }
    weights_.bytes += static_cast<uint64_t>(rows * columns) * sizeof(T);
    return absl::OkStatus();
  }
  absl::Status Matrix(const std::string& name, int64_t rows, int64_t columns, Packed<T>& into) {
    into = Packed<T>(rows, columns);
    return Rows(name, rows, columns, into, 0);
  }

  struct Part {
    std::string name;  // without ".weight" and ".bias"
    int64_t rows;
  };
  // Matrices of the same input, one below the other.
  absl::Status Together(const std::vector<Part>& parts, int64_t columns, bool bias, Packed<T>& into) {
    int64_t rows = 0;
    for (const Part& part : parts) rows += part.rows;
    into = Packed<T>(rows, columns);
    if (bias) into.bias = Buffer<float>(rows);
    int64_t first = 0;
    for (const Part& part : parts) {
      RETURN_IF_ERROR(Rows(part.name + ".weight", part.rows, columns, into, first));
      if (bias) {
        RETURN_IF_ERROR(read_(part.name + ".bias", {part.rows},
                              into.bias.span().subspan(static_cast<size_t>(first), static_cast<size_t>(part.rows))));
      }
      first += part.rows;
    }
    return absl::OkStatus();
  }

  absl::Status Gated(const std::string& gate, const std::string& up, const std::string& down, int64_t inner,
                     GatedWeights<T>& into) {
    const int64_t width = config_.hidden_size;
    RETURN_IF_ERROR(Together({{gate, inner}, {up, inner}}, width, config_.mlp_bias, into.gate_up));
    return Together({{down, width}}, inner, config_.mlp_bias, into.down);
  }

  absl::Status Attention(const std::string& prefix, DecoderLayer<T>& layer) {
    const int64_t query = config_.query_width();
    const int64_t key = config_.kv_width();
    RETURN_IF_ERROR(Together({{prefix + "q_proj", query}, {prefix + "k_proj", key}, {prefix + "v_proj", key}},
                             config_.hidden_size, config_.qkv_bias, layer.qkv));
    if (config_.qk_norm) {
      RETURN_IF_ERROR(Vector(prefix + "q_norm.weight", config_.head_dim, layer.q_norm));
      RETURN_IF_ERROR(Vector(prefix + "k_norm.weight", config_.head_dim, layer.k_norm));
    }
    return Together({{prefix + "o_proj", config_.hidden_size}}, query, config_.output_bias, layer.output);
  }

  absl::Status Experts(const std::string& prefix, DecoderLayer<T>& layer) {
    RETURN_IF_ERROR(Matrix(prefix + "gate.weight", config_.experts, config_.hidden_size, layer.router));
    for (int64_t e = 0; e < config_.experts; ++e) {
      const std::string own = fmt::format("{}experts.{}.", prefix, e);
      RETURN_IF_ERROR(
          Gated(own + "w1", own + "w3", own + "w2", config_.expert_intermediate, layer.experts.emplace_back()));
    }
    return absl::OkStatus();
  }

  absl::Status Layer(const std::string& prefix, DecoderLayer<T>& layer) {
    const int64_t width = config_.hidden_size;
    const bool grok2 = config_.architecture == Architecture::kGrok2;
    RETURN_IF_ERROR(
        Vector(prefix + (grok2 ? "pre_attn_norm.weight" : "input_layernorm.weight"), width, layer.attention_norm));
    RETURN_IF_ERROR(Attention(prefix + "self_attn.", layer));
    RETURN_IF_ERROR(
        Vector(prefix + (grok2 ? "pre_moe_norm.weight" : "post_attention_layernorm.weight"), width, layer.mlp_norm));
    RETURN_IF_ERROR(Gated(prefix + "mlp.gate_proj", prefix + "mlp.up_proj", prefix + "mlp.down_proj",
                          config_.intermediate_size, layer.mlp));
    if (!grok2) return absl::OkStatus();
    RETURN_IF_ERROR(Vector(prefix + "post_attn_norm.weight", width, layer.attention_post_norm));
    RETURN_IF_ERROR(Vector(prefix + "post_moe_norm.weight", width, layer.mlp_post_norm));
    return Experts(prefix + "block_sparse_moe.", layer);
  }

  const ModelConfig& config_;
  const TensorReader& read_;
  DecoderWeights<T> weights_;
};

}  // namespace

template <typename T>
absl::StatusOr<DecoderWeights<T>> DecoderWeights<T>::Read(const ModelConfig& config, const TensorReader& read) {
  return Reader<T>(config, read).Run();
}

template struct DecoderWeights<float>;
template struct DecoderWeights<Bf16>;

}  // namespace rhodes
