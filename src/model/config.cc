#include "model/config.h"

#include <cmath>
#include <utility>

#include "model/config_keys.h"
#include "model/parameters.h"

namespace rhodes {
namespace {

// Whether Hugging Face's file describes a Grok: the released file's model_type is not a name one could go by.
bool IsGrok(const Json& json) {
  const auto classes = json.find("architectures");
  if (classes != json.end() && classes->is_array() && !classes->empty() && classes->front().is_string()) {
    const std::string name = classes->front();
    if (name == "Grok1ForCausalLM" || name == "GrokForCausalLM") return true;
  }
  const auto type = json.find("model_type");
  return type != json.end() && type->is_string() && type->get<std::string>().starts_with("grok");
}

double YarnMagnitude(double factor, double scale) { return factor <= 1 ? 1.0 : 0.1 * scale * std::log(factor) + 1.0; }

RopeScaling ReadScaling(ConfigKeys& keys, int64_t max_positions) {
  RopeScaling scaling;
  const std::string type = keys.String("rope_type", keys.String("type", "default"));
  if (type == "default" || !keys.status().ok()) return scaling;
  scaling.factor = keys.Number("factor", type == "yarn" ? std::optional(0.0) : std::nullopt);
  if (type == "linear") {
    scaling.kind = RopeScaling::Kind::kLinear;
  } else if (type == "dynamic") {
    scaling.kind = RopeScaling::Kind::kDynamic;
  } else if (type == "llama3") {
    scaling.kind = RopeScaling::Kind::kLlama3;
    scaling.original_positions = keys.Integer("original_max_position_embeddings", max_positions);
    scaling.low_frequency_factor = keys.Number("low_freq_factor");
    scaling.high_frequency_factor = keys.Number("high_freq_factor");
  } else if (type == "yarn") {
    scaling.kind = RopeScaling::Kind::kYarn;
    scaling.original_positions = keys.Integer("original_max_position_embeddings", max_positions);
    if (scaling.factor == 0 && scaling.original_positions > 0) {
      scaling.factor = static_cast<double>(max_positions) / static_cast<double>(scaling.original_positions);
    }
    scaling.beta_fast = keys.Number("beta_fast", 32.0);
    scaling.beta_slow = keys.Number("beta_slow", 1.0);
    scaling.truncate = keys.Boolean("truncate", true);
    const double numerator = keys.Number("mscale", 0.0);
    const double denominator = keys.Number("mscale_all_dim", 0.0);
    const double otherwise = numerator != 0 && denominator != 0
                                 ? YarnMagnitude(scaling.factor, numerator) / YarnMagnitude(scaling.factor, denominator)
                                 : YarnMagnitude(scaling.factor, 1.0);
    scaling.attention_factor = keys.Number("attention_factor", otherwise);
  } else {
    keys.Refuse(keys.Has("rope_type") ? "rope_type" : "type",
                "only \"default\", \"linear\", \"dynamic\", \"yarn\" and \"llama3\" are computed");
  }
  return scaling;
}

Json ScalingToJson(const RopeScaling& scaling) {
  switch (scaling.kind) {
    case RopeScaling::Kind::kNone:
      break;
    case RopeScaling::Kind::kLinear:
      return {{"rope_type", "linear"}, {"factor", scaling.factor}};
    case RopeScaling::Kind::kDynamic:
      return {{"rope_type", "dynamic"}, {"factor", scaling.factor}};
    case RopeScaling::Kind::kLlama3:
      return {{"rope_type", "llama3"},
              {"factor", scaling.factor},
              {"low_freq_factor", scaling.low_frequency_factor},
              {"high_freq_factor", scaling.high_frequency_factor},
              {"original_max_position_embeddings", scaling.original_positions}};
    case RopeScaling::Kind::kYarn: {
      Json json = {{"rope_type", "yarn"},
                   {"factor", scaling.factor},
                   {"original_max_position_embeddings", scaling.original_positions},
                   {"beta_fast", scaling.beta_fast},
                   {"beta_slow", scaling.beta_slow},
                   {"attention_factor", scaling.attention_factor}};
      if (!scaling.truncate) json["truncate"] = false;
      return json;
    }
  }
  return nullptr;
}

// layer_types of transformers: full attention below some layer, a sliding window from there on.
void ReadLayerTypes(const Json& json, ConfigKeys& keys, ModelConfig& config) {
  const auto types = json.find("layer_types");
  if (types == json.end() || !types->is_array()) return;
  int64_t first = config.layers;
  for (size_t i = 0; i < types->size(); ++i) {
    const bool window = (*types)[i] == "sliding_attention";
    if (window && first == config.layers) first = static_cast<int64_t>(i);
    if ((!window && (*types)[i] != "full_attention") || window != (static_cast<int64_t>(i) >= first)) {
      return keys.Refuse("layer_types", "only full attention below some layer and a sliding window above is computed");
    }
  }
  if (first == config.layers) config.sliding_window = 0;
  config.first_window_layer = config.sliding_window > 0 ? first : 0;
}

void ReadWindow(const Json& json, ConfigKeys& keys, ModelConfig& config) {
  if (config.model_type == "mistral") {  // transformers' default when the key is absent; null means none
    config.sliding_window = keys.Integer("sliding_window", json.contains("sliding_window") ? 0 : 4096);
    return;
  }
  if (config.model_type == "llama") return keys.Only("sliding_window", 0, "the family \"llama\" has none");
  if (!keys.Boolean("use_sliding_window", false)) return;
  config.sliding_window = keys.Integer("sliding_window", json.contains("sliding_window") ? 0 : 4096);
  if (config.sliding_window == 0) return;
  config.first_window_layer = keys.Integer("max_window_layers", 28);
  ReadLayerTypes(json, keys, config);
}

void ReadLlama(const Json& json, ConfigKeys& keys, ModelConfig& config) {
  config.model_type = keys.String("model_type", "llama");
  const std::string& family = config.model_type;
  if (family != "llama" && family != "mistral" && family != "qwen2" && family != "qwen3") {
    return keys.Refuse("model_type", "only \"llama\", \"mistral\", \"qwen2\", \"qwen3\" and Grok-2 are known");
  }
  keys.Only("hidden_act", "silu", "only \"silu\" is computed");
  config.qk_norm = family == "qwen3";
  if (family == "llama" || family == "qwen3") {
    config.qkv_bias = config.output_bias = keys.Boolean("attention_bias", false);
  } else {
    config.qkv_bias = family == "qwen2";
  }
  if (family == "llama") config.mlp_bias = keys.Boolean("mlp_bias", false);
  ReadWindow(json, keys, config);
}

void ReadGrok2(ConfigKeys& keys, ModelConfig& config) {
  config.architecture = Architecture::kGrok2;
  config.model_type = "grok2";
  keys.Only("residual_moe", true, "only Grok-2, whose mixture stands beside a dense layer, is computed");
  keys.Only("global_attn_every_n", 1, "only attention to all positions is computed");
  keys.Only("rope_type", "original", "only \"original\", which is no scaling, is computed");
  config.experts = keys.Integer("num_local_experts", keys.Integer("num_experts", 8));
  config.experts_per_token = keys.Integer("num_experts_per_tok", 2);
  config.expert_intermediate = keys.Integer("moe_intermediate_size", config.intermediate_size);
  config.embedding_multiplier = keys.Number("embedding_multiplier_scale", 1.0);
  config.output_multiplier = keys.Number("output_multiplier_scale", 1.0);
  config.attention_cap = keys.Number("attn_logit_softcapping", 30.0);
  config.router_cap = keys.Number("router_logit_softcapping", 30.0);
  config.final_cap = keys.Number("final_logit_softcapping", 50.0);
  config.attention_temperature = keys.Integer("attn_temperature_len", 0);
  if (keys.Has("router_aux_loss_coef")) config.router_aux_loss = keys.Number("router_aux_loss_coef");
  const std::string convention = keys.String("router_convention", "llama.cpp");
  if (convention == "sglang") {
    config.router = RouterConvention::kSglang;
  } else if (convention != "llama.cpp") {
    keys.Refuse("router_convention", "only \"llama.cpp\" and \"sglang\" are known");
  }
}

Json LlamaJson(const ModelConfig& config) {
  const std::string& family = config.model_type;
  Json json = {{"hidden_act", "silu"},
               {"attention_dropout", 0.0},
               {"rope_scaling", ScalingToJson(config.rope_scaling)},
               {"use_cache", true},
               {"initializer_range", 0.02}};
  const auto window = config.sliding_window > 0 ? Json(config.sliding_window) : Json(nullptr);
  if (family == "llama") {
    json["architectures"] = Json::array({"LlamaForCausalLM"});
    json["attention_bias"] = config.qkv_bias;
    json["mlp_bias"] = config.mlp_bias;
  } else if (family == "mistral") {
    json["architectures"] = Json::array({"MistralForCausalLM"});
    json["sliding_window"] = window;
  } else {
    json["architectures"] = Json::array({family == "qwen2" ? "Qwen2ForCausalLM" : "Qwen3ForCausalLM"});
    if (family == "qwen3") json["attention_bias"] = config.qkv_bias;
    json["use_sliding_window"] = config.sliding_window > 0;
    json["sliding_window"] = window;
    json["max_window_layers"] = config.sliding_window > 0 ? config.first_window_layer : config.layers;
  }
  return json;
}

Json Grok2Json(const ModelConfig& config) {
  Json json = {{"architectures", Json::array({"Grok1ForCausalLM"})},
               {"num_local_experts", config.experts},
               {"num_experts_per_tok", config.experts_per_token},
               {"moe_intermediate_size", config.expert_intermediate},
               {"residual_moe", true},
               {"embedding_multiplier_scale", config.embedding_multiplier},
               {"output_multiplier_scale", config.output_multiplier},
               {"attn_logit_softcapping", config.attention_cap},
               {"router_logit_softcapping", config.router_cap},
               {"final_logit_softcapping", config.final_cap},
               {"router_convention", config.router == RouterConvention::kSglang ? "sglang" : "llama.cpp"}};
  if (config.attention_temperature > 0) json["attn_temperature_len"] = config.attention_temperature;
  if (config.router_aux_loss) json["router_aux_loss_coef"] = *config.router_aux_loss;
  return json;
}

}  // namespace

std::string_view ArchitectureName(Architecture architecture) {
  return architecture == Architecture::kGrok2 ? "grok2" : "llama";
}

absl::StatusOr<ModelConfig> ModelConfig::FromJson(const Json& json, std::string_view what) {
  if (!json.is_object()) return absl::InvalidArgumentError(fmt::format("{}: not a JSON object", what));
  ConfigKeys keys(json, what);
  ModelConfig config;
  const bool grok = IsGrok(json);
  config.vocabulary_size = keys.Integer("vocab_size");
  config.hidden_size = keys.Integer("hidden_size");
  config.intermediate_size = keys.Integer("intermediate_size");
  config.layers = keys.Integer("num_hidden_layers");
  config.heads = keys.Integer("num_attention_heads");
  config.kv_heads = keys.Integer("num_key_value_heads", config.heads);
  config.head_dim = keys.Integer("head_dim", config.heads > 0 ? config.hidden_size / config.heads : 0);
  config.max_positions = keys.Integer("max_position_embeddings");
  config.rms_epsilon = keys.Number("rms_norm_eps", grok ? 1e-5 : 1e-6);  // the released files', transformers' default
  config.tie_embeddings = keys.Boolean("tie_word_embeddings", false);
  config.bos_id = keys.Token("bos_token_id");
  config.eos_id = keys.Token("eos_token_id");
  config.torch_dtype = keys.String("torch_dtype", keys.String("dtype", "float32"));
  if (grok) {
    ReadGrok2(keys, config);
  } else {
    ReadLlama(json, keys, config);
  }
  // transformers 5 has rope_theta and the scaling inside rope_parameters; before, the scaling was rope_scaling.
  const Json none = Json::object();
  const auto object = [&](const char* key) -> const Json* {
    const auto found = json.find(key);
    return found != json.end() && found->is_object() ? &*found : nullptr;
  };
  const Json* parameters = object("rope_parameters");
  if (parameters == nullptr) parameters = object("rope_scaling");
  ConfigKeys rope_keys(parameters != nullptr ? *parameters : none, what);
  config.rope_theta = keys.Number("rope_theta", rope_keys.Number("rope_theta", 10000.0));
  config.rope_scaling = ReadScaling(rope_keys, config.max_positions);
  RETURN_IF_ERROR(keys.status());
  RETURN_IF_ERROR(rope_keys.status());
  RETURN_IF_ERROR(Annotate(config.Validate(), what));
  return config;
}

absl::StatusOr<ModelConfig> ModelConfig::Load(const std::string& path) {
  ASSIGN_OR_RETURN(const Json json, ReadJsonFile(path));
  return FromJson(json, path);
}

Json ModelConfig::ToJson() const {
  const auto token = [](int64_t id) { return id < 0 ? Json(nullptr) : Json(id); };
  Json json = architecture == Architecture::kGrok2 ? Grok2Json(*this) : LlamaJson(*this);
  json.update(Json{{"bos_token_id", token(bos_id)},
                   {"eos_token_id", token(eos_id)},
                   {"head_dim", head_dim},
                   {"hidden_size", hidden_size},
                   {"intermediate_size", intermediate_size},
                   {"max_position_embeddings", max_positions},
                   {"model_type", model_type},
                   {"num_attention_heads", heads},
                   {"num_hidden_layers", layers},
                   {"num_key_value_heads", kv_heads},
                   {"rms_norm_eps", rms_epsilon},
                   {"rope_theta", rope_theta},
                   {"tie_word_embeddings", tie_embeddings},
                   {"torch_dtype", torch_dtype},
                   {"vocab_size", vocabulary_size}});
  return json;
}

int64_t ModelConfig::ParameterCount() const { return ParameterLayout(*this).count(); }

}  // namespace rhodes
