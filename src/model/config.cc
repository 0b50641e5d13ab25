#include "model/config.h"

#include <cmath>
#include <optional>

namespace rhodes {
namespace {

// Reads typed keys of one JSON object and keeps the first error, so that the reading below stays a list.
class Keys {
 public:
  Keys(const Json& json, std::string_view what) : json_(json), what_(what) {}

  int64_t Integer(const char* key, std::optional<int64_t> otherwise = {}) {
    const Json* value = Find(key, !otherwise.has_value());
    if (value == nullptr) return otherwise.value_or(0);
    if (!value->is_number_integer()) return Fail(key, *value, "an integer"), 0;
    return value->get<int64_t>();
  }
  double Number(const char* key, double otherwise) {
    const Json* value = Find(key, false);
    if (value == nullptr) return otherwise;
    if (!value->is_number()) return Fail(key, *value, "a number"), 0;
    return value->get<double>();
  }
  bool Boolean(const char* key, bool otherwise) {
    const Json* value = Find(key, false);
    if (value == nullptr) return otherwise;
    if (!value->is_boolean()) return Fail(key, *value, "true or false"), false;
    return value->get<bool>();
  }
  std::string String(const char* key, const std::string& otherwise) {
    const Json* value = Find(key, false);
    if (value == nullptr) return otherwise;
    if (!value->is_string()) return Fail(key, *value, "a string"), "";
    return value->get<std::string>();
  }
  // A token id, or the first of a list of them; -1 when there is none.
  int64_t Token(const char* key) {
    const Json* value = Find(key, false);
    if (value != nullptr && value->is_array() && !value->empty()) value = &value->front();
    if (value == nullptr) return -1;
    if (!value->is_number_integer()) return Fail(key, *value, "a token id or a list of them"), -1;
    return value->get<int64_t>();
  }
  // The key must be absent, null, or `expected`.
  void Only(const char* key, const Json& expected, std::string_view why) {
    const Json* value = Find(key, false);
    if (value == nullptr || *value == expected || !status_.ok()) return;
    status_ = absl::InvalidArgumentError(fmt::format("{}: {} is {}: {}", what_, key, DumpJson(*value), why));
  }
  const absl::Status& status() const { return status_; }

 private:
  // Null counts as absent, as in Hugging Face's files.
  const Json* Find(const char* key, bool required) {
    const auto found = json_.find(key);
    if (found != json_.end() && !found->is_null()) return &*found;
    if (required && status_.ok()) {
      status_ = absl::InvalidArgumentError(fmt::format("{}: {} is missing", what_, key));
    }
    return nullptr;
  }
  void Fail(const char* key, const Json& value, std::string_view expected) {
    if (!status_.ok()) return;
    status_ = absl::InvalidArgumentError(fmt::format("{}: {} is {}, not {}", what_, key, DumpJson(value), expected));
  }

  const Json& json_;
  std::string_view what_;
  absl::Status status_;
};

}  // namespace

absl::StatusOr<ModelConfig> ModelConfig::FromJson(const Json& json, std::string_view what) {
  if (!json.is_object()) return absl::InvalidArgumentError(fmt::format("{}: not a JSON object", what));
  Keys keys(json, what);
  keys.Only("model_type", "llama", "only \"llama\" is known");
  keys.Only("hidden_act", "silu", "only \"silu\" is computed");
  keys.Only("attention_bias", false, "biases are not computed");
  keys.Only("mlp_bias", false, "biases are not computed");
  keys.Only("rope_scaling", nullptr, "rotary scaling is not computed");
  // transformers 5 has rope_theta inside rope_parameters, and dtype for torch_dtype.
  const Json none = Json::object();
  const auto rope = json.find("rope_parameters");
  Keys rope_keys(rope != json.end() && rope->is_object() ? *rope : none, what);
  rope_keys.Only("rope_type", "default", "rotary scaling is not computed");
  ModelConfig config;
  config.vocabulary_size = keys.Integer("vocab_size");
  config.hidden_size = keys.Integer("hidden_size");
  config.intermediate_size = keys.Integer("intermediate_size");
  config.layers = keys.Integer("num_hidden_layers");
  config.heads = keys.Integer("num_attention_heads");
  config.kv_heads = keys.Integer("num_key_value_heads", config.heads);
  config.head_dim = keys.Integer("head_dim", config.heads > 0 ? config.hidden_size / config.heads : 0);
  config.max_positions = keys.Integer("max_position_embeddings");
  config.rope_theta = keys.Number("rope_theta", rope_keys.Number("rope_theta", 10000.0));
  config.rms_epsilon = keys.Number("rms_norm_eps", 1e-6);  // transformers' default
  config.tie_embeddings = keys.Boolean("tie_word_embeddings", false);
  config.bos_id = keys.Token("bos_token_id");
  config.eos_id = keys.Token("eos_token_id");
  config.torch_dtype = keys.String("torch_dtype", keys.String("dtype", "float32"));
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
  return Json{{"architectures", Json::array({"LlamaForCausalLM"})},
              {"attention_bias", false},
              {"attention_dropout", 0.0},
              {"bos_token_id", token(bos_id)},
              {"eos_token_id", token(eos_id)},
              {"head_dim", head_dim},
              {"hidden_act", "silu"},
              {"hidden_size", hidden_size},
              {"initializer_range", 0.02},
              {"intermediate_size", intermediate_size},
              {"max_position_embeddings", max_positions},
              {"mlp_bias", false},
              {"model_type", "llama"},
              {"num_attention_heads", heads},
              {"num_hidden_layers", layers},
              {"num_key_value_heads", kv_heads},
              {"rms_norm_eps", rms_epsilon},
              {"rope_scaling", nullptr},
              {"rope_theta", rope_theta},
              {"tie_word_embeddings", tie_embeddings},
              {"torch_dtype", torch_dtype},
              {"use_cache", true},
              {"vocab_size", vocabulary_size}};
}

absl::Status ModelConfig::Validate() const {
  struct Bound {
    const char* key;
    int64_t value;
    int64_t most;
  };
  // The upper bounds keep every product of two of them inside an int64; no model comes near.
  for (const Bound& bound : {Bound{"vocab_size", vocabulary_size, int64_t{1} << 24},
                             {"hidden_size", hidden_size, int64_t{1} << 20},
                             {"intermediate_size", intermediate_size, int64_t{1} << 22},
                             {"num_hidden_layers", layers, 4096},
                             {"num_attention_heads", heads, 4096},
                             {"num_key_value_heads", kv_heads, 4096},
                             {"head_dim", head_dim, 4096},
                             {"max_position_embeddings", max_positions, int64_t{1} << 24}}) {
    if (bound.value < 1 || bound.value > bound.most) {
      return absl::InvalidArgumentError(
          fmt::format("{} is {}, not between 1 and {}", bound.key, bound.value, bound.most));
    }
  }
  if (heads % kv_heads != 0) {
    return absl::InvalidArgumentError(
        fmt::format("num_attention_heads {} is not a multiple of num_key_value_heads {}", heads, kv_heads));
  }
  if (head_dim % 2 != 0) {
    return absl::InvalidArgumentError(fmt::format("head_dim {} is odd: rotary positions turn pairs", head_dim));
  }
  if (!(std::isfinite(rope_theta) && rope_theta > 0)) {
    return absl::InvalidArgumentError(fmt::format("rope_theta {} is not a positive number", rope_theta));
  }
  if (!(std::isfinite(rms_epsilon) && rms_epsilon > 0)) {
    return absl::InvalidArgumentError(fmt::format("rms_norm_eps {} is not a positive number", rms_epsilon));
  }
  for (const auto& [key, id] : {std::pair{"bos_token_id", bos_id}, std::pair{"eos_token_id", eos_id}}) {
    if (id < -1 || id >= vocabulary_size) {
      return absl::InvalidArgumentError(fmt::format("{} {} is not below vocab_size {}", key, id, vocabulary_size));
    }
  }
  return absl::OkStatus();
}

int64_t ModelConfig::ParameterCount() const {
  const int64_t attention = 2 * hidden_size * query_width() + 2 * hidden_size * kv_width();
  const int64_t layer = attention + 3 * hidden_size * intermediate_size + 2 * hidden_size;
  const int64_t embedding = vocabulary_size * hidden_size;
  return embedding * (tie_embeddings ? 1 : 2) + layers * layer + hidden_size;
}

}  // namespace rhodes
