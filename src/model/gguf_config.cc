// The keys of a model's configuration in GGUF files.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>
#include <utility>

#include "base/json.h"
#include "model/gguf_model.h"

namespace rhodes {
namespace {

// rope_scaling of config.json, as text: what llama.cpp's keys do not carry. Other programs leave it alone.
constexpr char kScalingKey[] = "rhodes.rope_scaling";

// general.file_type, llama.cpp's number for what most matrices are stored as.
uint32_t FileType(GgmlType type) {
  switch (type) {
    case GgmlType::kF32:
      return 0;
    case GgmlType::kF16:
      return 1;
    case GgmlType::kQ8_0:
      return 7;
    case GgmlType::kBf16:
      return 32;
  }
  return 0;
}

// What yarn multiplies cosine and sine with in llama.cpp, and in transformers when nothing is said.
double YarnMagnitude(double factor) { return factor <= 1 ? 1.0 : 1.0 + 0.1 * std::log(factor); }

class ConfigWriter {
 public:
  ConfigWriter(const ModelConfig& config, GgufWriter& writer)
      : config_(config), architecture_(GgufArchitecture(config)), writer_(writer) {}

  absl::Status AddShape() {
    Add("vocab_size", config_.vocabulary_size);
    Add("context_length", config_.max_positions);
    Add("embedding_length", config_.hidden_size);
    Add("block_count", config_.layers);
    Add("feed_forward_length", config_.intermediate_size);
    Add("attention.head_count", config_.heads);
    Add("attention.head_count_kv", config_.kv_heads);
    Add("attention.key_length", config_.head_dim);
    Add("attention.value_length", config_.head_dim);
    Add("rope.dimension_count", config_.head_dim);
    AddNumber("rope.freq_base", config_.rope_theta);
    AddNumber("attention.layer_norm_rms_epsilon", config_.rms_epsilon);
    if (architecture_ == "qwen2" && config_.query_width() != config_.hidden_size) {
      return Wrong(fmt::format("head_dim {} is not hidden_size {} / num_attention_heads {}", config_.head_dim,
                               config_.hidden_size, config_.heads));
    }
    if (config_.output_bias && architecture_ != "llama") return Wrong("o_proj has a bias");
    if (config_.sliding_window > 0 && config_.sliding_window < config_.max_positions) {
      notes_.push_back(fmt::format("all positions are attended to, not the last {}", config_.sliding_window));
    }
    return absl::OkStatus();
  }

  absl::Status AddScaling() {
    const RopeScaling& scaling = config_.rope_scaling;
    using Kind = RopeScaling::Kind;
    if (scaling.kind == Kind::kNone) return absl::OkStatus();
    writer_.AddText(kScalingKey, DumpJson(config_.ToJson().at("rope_scaling")));
    if (scaling.kind == Kind::kLinear || scaling.kind == Kind::kYarn) {
      writer_.AddText(Key("rope.scaling.type"), scaling.kind == Kind::kLinear ? "linear" : "yarn");
      AddNumber("rope.scaling.factor", scaling.factor);
    }
    if (scaling.kind == Kind::kYarn) {
      Add("rope.scaling.original_context_length", scaling.original_positions);
      const double ratio = scaling.attention_factor / YarnMagnitude(scaling.factor);
      if (std::abs(ratio - 1.0) > 1e-6) AddNumber("rope.scaling.attn_factor", ratio);
      if (scaling.beta_fast != 32.0 || scaling.beta_slow != 1.0 || !scaling.truncate) {
        notes_.push_back("yarn is computed with beta_fast 32, beta_slow 1 and whole dimensions, not with this model's");
      }
    }
    // The factors are a tensor, which only the architecture llama reads.
    if (scaling.kind == Kind::kLlama3 && architecture_ != "llama") return Wrong("rope_scaling llama3");
    return absl::OkStatus();
  }

  void AddGrok() {
    Add("expert_count", config_.experts);
    Add("expert_used_count", config_.experts_per_token);
    Add("expert_feed_forward_length", config_.expert_intermediate);
    // llama.cpp's defaults are Grok-1's: all of them are written.
    AddNumber("embedding_scale", config_.embedding_multiplier);
    AddNumber("logit_scale", config_.output_multiplier);
    AddNumber("attention.output_scale", 1.0 / std::sqrt(static_cast<double>(config_.head_dim)));
    AddNumber("attn_logit_softcapping", config_.attention_cap);
    AddNumber("router_logit_softcapping", config_.router_cap);
    AddNumber("final_logit_softcapping", config_.final_cap);
    if (config_.attention_temperature > 0) Add("attention.temperature_length", config_.attention_temperature);
    if (config_.router == RouterConvention::kSglang) {
      notes_.push_back(
          "the weights of the chosen experts are made to sum to one and the router has no cap: this model "
          "has router_convention \"sglang\"");
    }
  }

  std::vector<std::string> TakeNotes() { return std::move(notes_); }

 private:
  std::string Key(std::string_view part) const { return fmt::format("{}.{}", architecture_, part); }
  void Add(std::string_view part, int64_t value) { writer_.AddU32(Key(part), static_cast<uint32_t>(value)); }
  void AddNumber(std::string_view part, double value) { writer_.AddF32(Key(part), static_cast<float>(value)); }
  absl::Status Wrong(std::string_view why) const {
    return absl::InvalidArgumentError(
        fmt::format("llama.cpp's {} does not compute this model: {}", architecture_, why));
  }

  const ModelConfig& config_;
  const std::string architecture_;
  GgufWriter& writer_;
  std::vector<std::string> notes_;
};

// A float of the file as a decimal number: the shortest that is the same float.
double Shortest(double value) {
  const std::string text = fmt::format("{}", static_cast<float>(value));
  double parsed = value;
  std::from_chars(text.data(), text.data() + text.size(), parsed);
  return parsed;
}

// Makes the config.json of a GGUF file, which ModelConfig::FromJson then checks like any other.
class ConfigReader {
 public:
  explicit ConfigReader(const GgufFile& file) : file_(file) {}

  absl::StatusOr<ModelConfig> Read() {
    ASSIGN_OR_RETURN(architecture_, file_.Text("general.architecture"));
    if (architecture_ != "llama" && architecture_ != "qwen2" && architecture_ != "qwen3" && architecture_ != "grok") {
      return Wrong(fmt::format("general.architecture is {}; llama, qwen2, qwen3 and grok are read", architecture_));
    }
    json_["model_type"] = architecture_ == "grok" ? "grok2" : architecture_;
    RETURN_IF_ERROR(ReadShape());
    RETURN_IF_ERROR(ReadTensors());
    RETURN_IF_ERROR(ReadScaling());
    if (architecture_ == "grok") {
      RETURN_IF_ERROR(ReadGrok());
    } else if (file_.Has(Key("expert_count"))) {
      ASSIGN_OR_RETURN(const int64_t experts, file_.Integer(Key("expert_count")));
      if (experts > 0) return Wrong(fmt::format("{} is {}: not computed here", Key("expert_count"), experts));
    }
    return ModelConfig::FromJson(json_, file_.what());
  }

 private:
  std::string Key(std::string_view part) const { return fmt::format("{}.{}", architecture_, part); }
  absl::Status Wrong(std::string_view why) const {
    return absl::InvalidArgumentError(fmt::format("{}: {}", file_.what(), why));
  }
  // A key that must be there, or may be missing, under its name in config.json.
  absl::Status Integer(std::string_view part, const char* name, bool required = true) {
    if (!required && !file_.Has(Key(part))) return absl::OkStatus();
    ASSIGN_OR_RETURN(const int64_t value, file_.Integer(Key(part)));
    json_[name] = value;
    return absl::OkStatus();
  }
  absl::Status Number(std::string_view part, const char* name, bool required = true) {
    if (!required && !file_.Has(Key(part))) return absl::OkStatus();
    ASSIGN_OR_RETURN(const double value, file_.Number(Key(part)));
    json_[name] = Shortest(value);
    return absl::OkStatus();
  }

  absl::Status ReadShape() {
    RETURN_IF_ERROR(Integer("embedding_length", "hidden_size"));
    RETURN_IF_ERROR(Integer("block_count", "num_hidden_layers"));
    RETURN_IF_ERROR(Integer("feed_forward_length", "intermediate_size"));
    RETURN_IF_ERROR(Integer("attention.head_count", "num_attention_heads"));
    RETURN_IF_ERROR(Integer("attention.head_count_kv", "num_key_value_heads", false));
    RETURN_IF_ERROR(Integer("attention.key_length", "head_dim", false));
    RETURN_IF_ERROR(Integer("context_length", "max_position_embeddings"));
    RETURN_IF_ERROR(Number("attention.layer_norm_rms_epsilon", "rms_norm_eps"));
    RETURN_IF_ERROR(Number("rope.freq_base", "rope_theta", false));
    const int64_t width = json_["hidden_size"];
    const int64_t heads = json_["num_attention_heads"];
    const int64_t dim = json_.contains("head_dim") ? json_["head_dim"].get<int64_t>() : heads > 0 ? width / heads : 0;
    for (const char* part : {"attention.value_length", "rope.dimension_count"}) {
      if (!file_.Has(Key(part))) continue;
      ASSIGN_OR_RETURN(const int64_t value, file_.Integer(Key(part)));
      if (value != dim) {
        return Wrong(fmt::format("{} is {}, and a head has {} values: not computed here", Key(part), value, dim));
      }
    }
    for (const auto& [key, name] : {std::pair{"tokenizer.ggml.bos_token_id", "bos_token_id"},
                                    std::pair{"tokenizer.ggml.eos_token_id", "eos_token_id"}}) {
      if (!file_.Has(key)) continue;
      ASSIGN_OR_RETURN(json_[name], file_.Integer(key));
    }
    return absl::OkStatus();
  }

  // What tensors say by being there.
  absl::Status ReadTensors() {
    const auto has = [&](const char* name) { return file_.tensors().contains(name); };
    ASSIGN_OR_RETURN(const GgufTensor embedding, file_.Tensor("token_embd.weight"));
    json_["vocab_size"] = embedding.shape.front();
    json_["torch_dtype"] = embedding.type == GgmlType::kBf16  ? "bfloat16"
                           : embedding.type == GgmlType::kF16 ? "float16"
                                                              : "float32";
    json_["tie_word_embeddings"] = !has("output.weight");
    if (architecture_ == "llama" || architecture_ == "qwen3") json_["attention_bias"] = has("blk.0.attn_q.bias");
    if (architecture_ == "llama") json_["mlp_bias"] = has("blk.0.ffn_up.bias");
    return absl::OkStatus();
  }

  absl::Status ReadScaling() {
    if (file_.Has(kScalingKey)) {
      ASSIGN_OR_RETURN(const std::string_view text, file_.Text(kScalingKey));
      ASSIGN_OR_RETURN(json_["rope_scaling"], ParseJson(text, fmt::format("{}: {}", file_.what(), kScalingKey)));
      return absl::OkStatus();
    }
    if (file_.tensors().contains(kRotaryFactorsTensor)) return ReadRotaryFactors();
    if (!file_.Has(Key("rope.scaling.type"))) return absl::OkStatus();
    ASSIGN_OR_RETURN(const std::string_view type, file_.Text(Key("rope.scaling.type")));
    if (type == "none" || !file_.Has(Key("rope.scaling.factor"))) return absl::OkStatus();
    if (architecture_ == "grok") {
      return Wrong(fmt::format("{} is {}: Grok-2 is computed without scaling here", Key("rope.scaling.type"), type));
    }
    ASSIGN_OR_RETURN(const double factor, file_.Number(Key("rope.scaling.factor")));
    Json scaling = {{"rope_type", type}, {"factor", Shortest(factor)}};
    if (type == "yarn") {
      ASSIGN_OR_RETURN(const int64_t original, file_.Integer(Key("rope.scaling.original_context_length")));
      scaling["original_max_position_embeddings"] = original;
      if (file_.Has(Key("rope.scaling.attn_factor"))) {
        ASSIGN_OR_RETURN(const double ratio, file_.Number(Key("rope.scaling.attn_factor")));
        scaling["attention_factor"] = ratio * YarnMagnitude(factor);
      }
    }
    json_["rope_scaling"] = std::move(scaling);
    return absl::OkStatus();
  }

  // Of other programs' files of Llama 3: the factors are there and not what they were made from. Meta's models have
  // low_freq_factor 1, high_freq_factor 4 and 8192 original positions; the largest factor is `factor`.
  absl::Status ReadRotaryFactors() {
    ASSIGN_OR_RETURN(const GgufTensor tensor, file_.Tensor(kRotaryFactorsTensor));
    std::vector<float> factors(static_cast<size_t>(tensor.elements()));
    RETURN_IF_ERROR(ReadGgufValues(tensor, 0, factors));
    ModelConfig config;
    config.head_dim = 2 * tensor.elements();
    config.rope_theta = json_.contains("rope_theta") ? json_["rope_theta"].get<double>() : 10000.0;
    config.rope_scaling.kind = RopeScaling::Kind::kLlama3;
    config.rope_scaling.factor = static_cast<double>(*std::max_element(factors.begin(), factors.end()));
    config.rope_scaling.original_positions = 8192;
    const std::vector<float> expected = Llama3RotaryFactors(config);
    for (size_t i = 0; i < factors.size(); ++i) {
      if (std::abs(factors[i] - expected[i]) <= 1e-4f * expected[i]) continue;
      return Wrong(fmt::format("tensor {}: value {} is {}; Llama 3's scaling gives {}: not computed here",
                               kRotaryFactorsTensor, i, factors[i], expected[i]));
    }
    json_["rope_scaling"] = {{"rope_type", "llama3"},
                             {"factor", config.rope_scaling.factor},
                             {"low_freq_factor", 1.0},
                             {"high_freq_factor", 4.0},
                             {"original_max_position_embeddings", 8192}};
    return absl::OkStatus();
  }

  absl::Status ReadGrok() {
    json_["architectures"] = Json::array({"Grok1ForCausalLM"});
    json_["residual_moe"] = file_.tensors().contains("blk.0.ffn_up.weight");
    RETURN_IF_ERROR(Integer("expert_count", "num_local_experts"));
    RETURN_IF_ERROR(Integer("expert_used_count", "num_experts_per_tok"));
    RETURN_IF_ERROR(Integer("expert_feed_forward_length", "moe_intermediate_size", false));
    RETURN_IF_ERROR(Integer("attention.temperature_length", "attn_temperature_len", false));
    // The defaults are llama.cpp's.
    json_["embedding_multiplier_scale"] = 78.38367176906169;
    json_["output_multiplier_scale"] = 0.5773502691896257;
    json_["attn_logit_softcapping"] = 30.0;
    json_["router_logit_softcapping"] = 30.0;
    json_["final_logit_softcapping"] = 0.0;
    RETURN_IF_ERROR(Number("embedding_scale", "embedding_multiplier_scale", false));
    RETURN_IF_ERROR(Number("logit_scale", "output_multiplier_scale", false));
    RETURN_IF_ERROR(Number("attn_logit_softcapping", "attn_logit_softcapping", false));
    RETURN_IF_ERROR(Number("router_logit_softcapping", "router_logit_softcapping", false));
    RETURN_IF_ERROR(Number("final_logit_softcapping", "final_logit_softcapping", false));
    if (file_.Has(Key("attention.output_scale"))) {
      ASSIGN_OR_RETURN(const double scale, file_.Number(Key("attention.output_scale")));
      const int64_t width = json_["hidden_size"];
      const int64_t heads = json_["num_attention_heads"];
      const double usual = heads > 0 ? std::sqrt(static_cast<double>(heads) / static_cast<double>(width)) : 0;
      if (std::abs(scale - usual) > 1e-5 * usual) {
        return Wrong(
            fmt::format("{} is {}, not head_dim^-0.5: not computed here", Key("attention.output_scale"), scale));
      }
    }
    return absl::OkStatus();
  }

  const GgufFile& file_;
  std::string architecture_;
  Json json_ = Json::object();
};

}  // namespace

std::string GgufArchitecture(const ModelConfig& config) {
  if (config.architecture == Architecture::kGrok2) return "grok";
  return config.model_type == "mistral" ? "llama" : config.model_type;
}

std::vector<float> Llama3RotaryFactors(const ModelConfig& config) {
  const RopeScaling& scaling = config.rope_scaling;
  const double original = static_cast<double>(scaling.original_positions);
  std::vector<float> factors;
  for (int64_t i = 0; i < config.head_dim / 2; ++i) {
    const double exponent = 2.0 * static_cast<double>(i) / static_cast<double>(config.head_dim);
    const double wavelength = 2.0 * std::numbers::pi * std::pow(config.rope_theta, exponent);
    if (wavelength < original / scaling.high_frequency_factor) {
      factors.push_back(1.0f);
    } else if (wavelength > original / scaling.low_frequency_factor) {
      factors.push_back(static_cast<float>(scaling.factor));
    } else {
      const double smooth = (original / wavelength - scaling.low_frequency_factor) /
                            (scaling.high_frequency_factor - scaling.low_frequency_factor);
      factors.push_back(static_cast<float>(1.0 / ((1.0 - smooth) / scaling.factor + smooth)));
    }
  }
  return factors;
}

absl::StatusOr<std::vector<std::string>> AddGgufConfig(const ModelConfig& config, const std::string& name,
                                                       GgmlType type, GgufWriter& writer) {
  writer.AddText("general.architecture", GgufArchitecture(config));
  writer.AddText("general.name", name);
  writer.AddU32("general.file_type", FileType(type));
  if (type == GgmlType::kQ8_0) writer.AddU32("general.quantization_version", 2);
  ConfigWriter keys(config, writer);
  RETURN_IF_ERROR(keys.AddShape());
  RETURN_IF_ERROR(keys.AddScaling());
  if (config.architecture == Architecture::kGrok2) keys.AddGrok();
  return keys.TakeNotes();
}

absl::StatusOr<ModelConfig> ReadGgufConfig(const GgufFile& file) { return ConfigReader(file).Read(); }

}  // namespace rhodes
