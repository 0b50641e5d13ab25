// ModelConfig::Validate: what makes no model is refused with one message.
#include <cmath>
#include <utility>

#include "model/config.h"

namespace rhodes {
namespace {

struct Bound {
  const char* key;
  int64_t value;
  int64_t most;
};

absl::Status CheckBounds(std::initializer_list<Bound> bounds) {
  for (const Bound& bound : bounds) {
    if (bound.value < 1 || bound.value > bound.most) {
      return absl::InvalidArgumentError(
          fmt::format("{} is {}, not between 1 and {}", bound.key, bound.value, bound.most));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckPositive(const char* key, double value) {
  if (std::isfinite(value) && value > 0) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format("{} {} is not a positive number", key, value));
}

absl::Status CheckHeads(const ModelConfig& c) {
  if (c.hidden_size % c.heads != 0) {
    return absl::InvalidArgumentError(
        fmt::format("hidden_size {} is not a multiple of num_attention_heads {}: the heads must divide the width",
                    c.hidden_size, c.heads));
  }
  if (c.heads % c.kv_heads != 0) {
    return absl::InvalidArgumentError(
        fmt::format("num_attention_heads {} is not a multiple of num_key_value_heads {}", c.heads, c.kv_heads));
  }
  if (c.head_dim % 2 != 0) {
    return absl::InvalidArgumentError(fmt::format("head_dim {} is odd: rotary positions turn pairs", c.head_dim));
  }
  return absl::OkStatus();
}

absl::Status CheckScaling(const RopeScaling& scaling) {
  if (scaling.kind == RopeScaling::Kind::kNone) return absl::OkStatus();
  RETURN_IF_ERROR(CheckPositive("rope scaling: factor", scaling.factor));
  if (scaling.kind == RopeScaling::Kind::kLinear || scaling.kind == RopeScaling::Kind::kDynamic) {
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(
      CheckBounds({{"rope scaling: original_max_position_embeddings", scaling.original_positions, int64_t{1} << 24}}));
  if (scaling.kind == RopeScaling::Kind::kLlama3) {
    RETURN_IF_ERROR(CheckPositive("rope scaling: low_freq_factor", scaling.low_frequency_factor));
    if (!(scaling.high_frequency_factor > scaling.low_frequency_factor)) {
      return absl::InvalidArgumentError(fmt::format("rope scaling: high_freq_factor {} is not above low_freq_factor {}",
                                                    scaling.high_frequency_factor, scaling.low_frequency_factor));
    }
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(CheckPositive("rope scaling: beta_fast", scaling.beta_fast));
  RETURN_IF_ERROR(CheckPositive("rope scaling: beta_slow", scaling.beta_slow));
  return CheckPositive("rope scaling: attention_factor", scaling.attention_factor);
}

// The options are those of a released family, so that its own programs load what is written here.
absl::Status CheckFamily(const ModelConfig& c) {
  const std::string& family = c.model_type;
  const bool fits = (family == "llama" && c.qkv_bias == c.output_bias && !c.qk_norm && c.sliding_window == 0) ||
                    (family == "mistral" && !c.qkv_bias && !c.output_bias && !c.mlp_bias && !c.qk_norm) ||
                    (family == "qwen2" && c.qkv_bias && !c.output_bias && !c.mlp_bias && !c.qk_norm) ||
                    (family == "qwen3" && c.qkv_bias == c.output_bias && !c.mlp_bias && c.qk_norm);
  if (fits) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format(
      "model_type \"{}\" does not have this combination of biases (q, k, v {}; output {}; mlp {}), QK-norm {} and "
      "sliding window {}",
      family, c.qkv_bias, c.output_bias, c.mlp_bias, c.qk_norm, c.sliding_window));
}

absl::Status CheckGrok2(const ModelConfig& c) {
  RETURN_IF_ERROR(CheckBounds({{"num_local_experts", c.experts, 1024},
                               {"num_experts_per_tok", c.experts_per_token, c.experts},
                               {"moe_intermediate_size", c.expert_intermediate, int64_t{1} << 22}}));
  if (c.query_width() != c.hidden_size) {
    return absl::InvalidArgumentError(fmt::format("num_attention_heads {} times head_dim {} is not hidden_size {}",
                                                  c.heads, c.head_dim, c.hidden_size));
  }
  for (const auto& [key, cap] :
       {std::pair{"attn_logit_softcapping", c.attention_cap}, std::pair{"router_logit_softcapping", c.router_cap},
        std::pair{"final_logit_softcapping", c.final_cap}}) {
    if (!(std::isfinite(cap) && cap >= 0)) {
      return absl::InvalidArgumentError(fmt::format("{} {} is not a positive number, or 0 for none", key, cap));
    }
  }
  if (const double aux = c.router_aux_loss.value_or(0); !(std::isfinite(aux) && aux >= 0)) {
    return absl::InvalidArgumentError(
        fmt::format("router_aux_loss_coef {} is not a positive number, or 0 for no such loss", aux));
  }
  RETURN_IF_ERROR(CheckPositive("embedding_multiplier_scale", c.embedding_multiplier));
  RETURN_IF_ERROR(CheckPositive("output_multiplier_scale", c.output_multiplier));
  if (c.rope_scaling.kind != RopeScaling::Kind::kNone) {
    return absl::InvalidArgumentError("rotary scaling is not part of Grok-2");
  }
  if (c.router == RouterConvention::kSglang && c.attention_temperature > 0 &&
      c.max_positions > c.attention_temperature) {
    return absl::InvalidArgumentError(
        fmt::format("router_convention \"sglang\" with max_position_embeddings {} beyond attn_temperature_len {}: the "
                    "temperature of later positions is not computed",
                    c.max_positions, c.attention_temperature));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ModelConfig::Validate() const {
  // The upper bounds keep every product of two of them inside an int64; no model comes near.
  RETURN_IF_ERROR(CheckBounds({{"vocab_size", vocabulary_size, int64_t{1} << 24},
                               {"hidden_size", hidden_size, int64_t{1} << 20},
                               {"intermediate_size", intermediate_size, int64_t{1} << 22},
                               {"num_hidden_layers", layers, 4096},
                               {"num_attention_heads", heads, 4096},
                               {"num_key_value_heads", kv_heads, 4096},
                               {"head_dim", head_dim, 4096},
                               {"max_position_embeddings", max_positions, int64_t{1} << 24}}));
  RETURN_IF_ERROR(CheckHeads(*this));
  RETURN_IF_ERROR(CheckPositive("rope_theta", rope_theta));
  RETURN_IF_ERROR(CheckPositive("rms_norm_eps", rms_epsilon));
  RETURN_IF_ERROR(CheckScaling(rope_scaling));
  for (const auto& [key, value] :
       {std::pair{"sliding_window", sliding_window}, std::pair{"max_window_layers", first_window_layer},
        std::pair{"attn_temperature_len", attention_temperature}}) {
    if (value < 0) return absl::InvalidArgumentError(fmt::format("{} {} is below 0", key, value));
  }
  for (const auto& [key, id] : {std::pair{"bos_token_id", bos_id}, std::pair{"eos_token_id", eos_id}}) {
    if (id < -1 || id >= vocabulary_size) {
      return absl::InvalidArgumentError(fmt::format("{} {} is not below vocab_size {}", key, id, vocabulary_size));
    }
  }
  return architecture == Architecture::kGrok2 ? CheckGrok2(*this) : CheckFamily(*this);
}

}  // namespace rhodes
