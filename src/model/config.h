// The shape of a decoder, in the keys of Hugging Face's config.json.
#ifndef RHODES_MODEL_CONFIG_H_
#define RHODES_MODEL_CONFIG_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/status.h"

namespace rhodes {

enum class Architecture { kLlama };

// Llama: pre-norm RMSNorm, rotary positions (pairs i and i + head_dim/2, as Hugging Face's rotate_half), grouped-query
// attention, SwiGLU, no biases.
struct ModelConfig {
  Architecture architecture = Architecture::kLlama;
  int64_t vocabulary_size = 0;    // vocab_size
  int64_t hidden_size = 0;        // hidden_size: C
  int64_t intermediate_size = 0;  // intermediate_size: the SwiGLU's inner width
  int64_t layers = 0;             // num_hidden_layers
  int64_t heads = 0;              // num_attention_heads
  int64_t kv_heads = 0;           // num_key_value_heads: divides `heads`
  int64_t head_dim = 0;           // head_dim: even; hidden_size / heads when the key is absent
  int64_t max_positions = 0;      // max_position_embeddings: the context in tokens
  double rope_theta = 10000.0;    // rope_theta
  double rms_epsilon = 1e-5;      // rms_norm_eps
  bool tie_embeddings = true;     // tie_word_embeddings: no lm_head.weight, the output uses the embedding
  int64_t bos_id = -1;            // bos_token_id; -1: none
  int64_t eos_id = -1;            // eos_token_id; -1: none (of a list the first)
  std::string torch_dtype = "bfloat16";

  // INVALID_ARGUMENT "`what`: ..." for a missing or mistyped key, another architecture, rotary scaling, biases or
  // an activation that this decoder does not compute, and for what Validate() refuses.
  static absl::StatusOr<ModelConfig> FromJson(const Json& json, std::string_view what);
  static absl::StatusOr<ModelConfig> Load(const std::string& path);
  Json ToJson() const;

  // INVALID_ARGUMENT naming the keys, their values and the rule that is broken.
  absl::Status Validate() const;
  // Weights, the output projection counted only when it is not the embedding.
  int64_t ParameterCount() const;

  int64_t query_width() const { return heads * head_dim; }
  int64_t kv_width() const { return kv_heads * head_dim; }

  bool operator==(const ModelConfig&) const = default;
};

}  // namespace rhodes

#endif  // RHODES_MODEL_CONFIG_H_
