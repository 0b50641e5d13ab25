// The shape of a decoder, in the keys of Hugging Face's config.json.
#ifndef RHODES_MODEL_CONFIG_H_
#define RHODES_MODEL_CONFIG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/status.h"

namespace rhodes {

// kLlama: pre-norm RMSNorm, rotary positions (pairs i and i + head_dim/2, as Hugging Face's rotate_half), grouped-query
// attention, SwiGLU; the files of Llama 2 and 3, SmolLM2, Mistral, Qwen 2.5 and Qwen 3.
// kGrok2: Grok-2's mixture of experts (grok2.h says which convention is used where the released code disagrees).
enum class Architecture { kLlama, kGrok2 };
std::string_view ArchitectureName(Architecture architecture);  // "llama", "grok2"

// How rotary angles are stretched to contexts beyond the one trained at first: rope_scaling, or rope_parameters, with
// the names and formulas of transformers. Dynamic scaling changes nothing up to max_position_embeddings, which is as
// far as a model goes here.
struct RopeScaling {
  enum class Kind { kNone, kLinear, kDynamic, kYarn, kLlama3 };
  Kind kind = Kind::kNone;
  double factor = 1.0;
  int64_t original_positions = 0;      // yarn, llama3: original_max_position_embeddings
  double low_frequency_factor = 1.0;   // llama3: low_freq_factor
  double high_frequency_factor = 4.0;  // llama3: high_freq_factor
  double beta_fast = 32.0;             // yarn
  double beta_slow = 1.0;              // yarn
  double attention_factor = 1.0;       // yarn: of cosine and sine; when absent made of factor, mscale, mscale_all_dim
  bool truncate = true;                // yarn: the corrected range is rounded to whole dimensions

  bool operator==(const RopeScaling&) const = default;
};

// How a mixture of experts weighs the chosen ones; see grok2.h.
enum class RouterConvention { kLlamaCpp, kSglang };

struct ModelConfig {
  Architecture architecture = Architecture::kLlama;
  // The released family whose keys are read and written: "llama", "mistral", "qwen2", "qwen3"; "grok2".
  std::string model_type = "llama";
  int64_t vocabulary_size = 0;    // vocab_size
  int64_t hidden_size = 0;        // hidden_size: C
  int64_t intermediate_size = 0;  // intermediate_size: the inner width of the (dense) feed-forward layer
  int64_t layers = 0;             // num_hidden_layers
  int64_t heads = 0;              // num_attention_heads: divides hidden_size
  int64_t kv_heads = 0;           // num_key_value_heads: divides `heads`
  int64_t head_dim = 0;           // head_dim: even; hidden_size / heads when the key is absent
  int64_t max_positions = 0;      // max_position_embeddings: the context in tokens
  double rope_theta = 10000.0;    // rope_theta
  RopeScaling rope_scaling;
  double rms_epsilon = 1e-5;          // rms_norm_eps
  bool tie_embeddings = true;         // tie_word_embeddings: no lm_head.weight, the output uses the embedding
  bool qkv_bias = false;              // attention_bias; always with "qwen2"
  bool output_bias = false;           // attention_bias: of o_proj; never with "qwen2"
  bool mlp_bias = false;              // mlp_bias
  bool qk_norm = false;               // RMSNorm of each head's query and key before the rotary positions: "qwen3"
  int64_t sliding_window = 0;         // positions that one attends to, itself included; 0: all before it
  int64_t first_window_layer = 0;     // max_window_layers: layers below it attend to all
  double embedding_multiplier = 1;    // embedding_multiplier_scale
  double output_multiplier = 1;       // output_multiplier_scale: of the logits, before the cap
  double attention_cap = 0;           // attn_logit_softcapping: cap · tanh(x / cap); 0: none
  double final_cap = 0;               // final_logit_softcapping
  double router_cap = 0;              // router_logit_softcapping
  int64_t experts = 0;                // num_local_experts (or num_experts); 0: no mixture
  int64_t experts_per_token = 0;      // num_experts_per_tok
  int64_t expert_intermediate = 0;    // moe_intermediate_size
  int64_t attention_temperature = 0;  // attn_temperature_len: kept for other programs, not computed
  RouterConvention router = RouterConvention::kLlamaCpp;  // router_convention: "llama.cpp" or "sglang"; a key of ours
  std::optional<double> router_aux_loss;                  // router_aux_loss_coef: of the balance loss in training
  int64_t bos_id = -1;                                    // bos_token_id; -1: none
  int64_t eos_id = -1;                                    // eos_token_id; -1: none (of a list the first)
  std::string torch_dtype = "bfloat16";

  // INVALID_ARGUMENT "`what`: ..." for a missing or mistyped key, another architecture, a rotary scaling or an
  // activation that is not computed here, and for what Validate() refuses.
  static absl::StatusOr<ModelConfig> FromJson(const Json& json, std::string_view what);
  static absl::StatusOr<ModelConfig> Load(const std::string& path);
  Json ToJson() const;

  // INVALID_ARGUMENT naming the keys, their values and the rule that is broken.
  absl::Status Validate() const;
  // Weights, the output projection counted only when it is not the embedding.
  int64_t ParameterCount() const;

  int64_t query_width() const { return heads * head_dim; }
  int64_t kv_width() const { return kv_heads * head_dim; }
  // Positions that one of `layer` attends to; 0: all before it.
  int64_t WindowOf(int64_t layer) const { return layer >= first_window_layer ? sliding_window : 0; }
  // The router's cap that is computed: llama.cpp reads the key and leaves it out.
  double ComputedRouterCap() const { return router == RouterConvention::kSglang ? router_cap : 0.0; }
  bool RenormalizesExperts() const { return router == RouterConvention::kLlamaCpp; }

  bool operator==(const ModelConfig&) const = default;
};

}  // namespace rhodes

#endif  // RHODES_MODEL_CONFIG_H_
