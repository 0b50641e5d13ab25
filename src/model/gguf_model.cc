#include "model/gguf_model.h"

#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "model/parameters.h"

namespace rhodes {
namespace {

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

// Where a weight lies in a GGUF file.
struct Place {
  std::string tensor;
  int64_t heads = 0;  // above 0: rows are in llama.cpp's order of pairs, in heads
};

constexpr std::pair<std::string_view, std::string_view> kWholeNames[] = {
    {"model.embed_tokens.weight", "token_embd.weight"},
    {"model.norm.weight", "output_norm.weight"},
    {"lm_head.weight", "output.weight"},
};
constexpr std::pair<std::string_view, std::string_view> kLayerNames[] = {
    {"input_layernorm", "attn_norm"}, {"self_attn.q_proj", "attn_q"},      {"self_attn.k_proj", "attn_k"},
    {"self_attn.v_proj", "attn_v"},   {"self_attn.o_proj", "attn_output"}, {"post_attention_layernorm", "ffn_norm"},
    {"mlp.gate_proj", "ffn_gate"},    {"mlp.up_proj", "ffn_up"},           {"mlp.down_proj", "ffn_down"},
};

// `name` is a Hugging Face name. Nothing for one that has no place in GGUF files.
std::optional<Place> PlaceOf(const ModelConfig& config, std::string_view name) {
  for (const auto& [hugging_face, gguf] : kWholeNames) {
    if (name == hugging_face) return Place{std::string(gguf)};
  }
  constexpr std::string_view kPrefix = "model.layers.";
  if (name.substr(0, kPrefix.size()) != kPrefix) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  const size_t dot = name.find('.');
  const size_t last = name.rfind('.');
  if (dot == std::string_view::npos || last <= dot) return std::nullopt;
  const std::string_view layer = name.substr(0, dot);
  const std::string_view part = name.substr(dot + 1, last - dot - 1);
  for (const auto& [hugging_face, gguf] : kLayerNames) {
    if (part != hugging_face) continue;
    Place place{fmt::format("blk.{}.{}{}", layer, gguf, name.substr(last))};
    if (gguf == "attn_q") place.heads = config.heads;
    if (gguf == "attn_k") place.heads = config.kv_heads;
    return place;
  }
  return std::nullopt;
}

// The row of a Hugging Face matrix that stands at `row` in a GGUF file, whose pairs are neighbours.
int64_t RowFromPairs(int64_t row, int64_t head_dim) {
  const int64_t in_head = row % head_dim;
  return row - in_head + in_head % 2 * (head_dim / 2) + in_head / 2;
}
// And back.
int64_t RowToPairs(int64_t row, int64_t head_dim) {
  const int64_t in_head = row % head_dim;
  const int64_t half = head_dim / 2;
  return row - in_head + in_head % half * 2 + in_head / half;
}

// Calls read(values of the stored order, part of `out`) for [first, first + out.size()) of a matrix of `columns`
// columns whose row r stands at row map(r) of what is stored.
template <typename Map, typename Read>
absl::Status ReadRows(int64_t columns, int64_t first, std::span<float> out, Map&& map, Read&& read) {
  while (!out.empty()) {
    const int64_t row = first / columns;
    const int64_t column = first % columns;
    const int64_t count = std::min(columns - column, static_cast<int64_t>(out.size()));
    RETURN_IF_ERROR(read(map(row) * columns + column, out.first(static_cast<size_t>(count))));
    out = out.subspan(static_cast<size_t>(count));
    first += count;
  }
  return absl::OkStatus();
}

class GgufWeights final : public WeightSource {
 public:
  GgufWeights(GgufFile file, int64_t head_dim, std::map<std::string, Place> places)
      : file_(std::move(file)), head_dim_(head_dim), places_(std::move(places)) {}

  std::vector<std::string> WeightNames() const override {
    std::vector<std::string> names;
    for (const auto& [name, place] : places_) {
      if (file_.tensors().contains(place.tensor)) names.push_back(name);
    }
    return names;
  }
  absl::StatusOr<std::vector<int64_t>> WeightShape(const std::string& name) const override {
    ASSIGN_OR_RETURN(const Place* place, Find(name));
    ASSIGN_OR_RETURN(const GgufTensor tensor, file_.Tensor(place->tensor));
    return tensor.shape;
  }
  absl::StatusOr<DType> WeightType(const std::string& name) const override {
    ASSIGN_OR_RETURN(const Place* place, Find(name));
    ASSIGN_OR_RETURN(const GgufTensor tensor, file_.Tensor(place->tensor));
    return tensor.type == GgmlType::kBf16 ? DType::kBf16 : tensor.type == GgmlType::kF16 ? DType::kF16 : DType::kF32;
  }
  absl::Status ReadValues(const std::string& name, int64_t first, std::span<float> out) const override {
    ASSIGN_OR_RETURN(const Place* place, Find(name));
    ASSIGN_OR_RETURN(const GgufTensor tensor, file_.Tensor(place->tensor));
    const auto read = [&](int64_t at, std::span<float> part) {
      return Annotate(ReadGgufValues(tensor, at, part), fmt::format("{}: tensor {}", Describe(), place->tensor));
    };
    if (place->heads == 0) return read(first, out);
    return ReadRows(
        tensor.elements() / tensor.shape.front(), first, out, [&](int64_t row) { return RowToPairs(row, head_dim_); },
        read);
  }
  std::string Describe() const override { return file_.what(); }

 private:
  absl::StatusOr<const Place*> Find(const std::string& name) const {
    const auto found = places_.find(name);
    if (found == places_.end()) return absl::NotFoundError(fmt::format("{}: weight {} is missing", Describe(), name));
    return &found->second;
  }

  GgufFile file_;
  int64_t head_dim_;
  std::map<std::string, Place> places_;  // by Hugging Face name
};

}  // namespace

std::string GgufArchitecture(const ModelConfig& config) {
  switch (config.architecture) {
    case Architecture::kLlama:
      return "llama";
  }
  return "";
}

absl::Status AddGgufConfig(const ModelConfig& config, const std::string& name, GgmlType type, GgufWriter& writer) {
  const std::string architecture = GgufArchitecture(config);
  writer.AddText("general.architecture", architecture);
  writer.AddText("general.name", name);
  writer.AddU32("general.file_type", FileType(type));
  if (type == GgmlType::kQ8_0) writer.AddU32("general.quantization_version", 2);
  const auto add = [&](std::string_view key, int64_t value) {
    writer.AddU32(fmt::format("{}.{}", architecture, key), static_cast<uint32_t>(value));
  };
  add("vocab_size", config.vocabulary_size);
  add("context_length", config.max_positions);
  add("embedding_length", config.hidden_size);
  add("block_count", config.layers);
  add("feed_forward_length", config.intermediate_size);
  add("attention.head_count", config.heads);
  add("attention.head_count_kv", config.kv_heads);
  add("attention.key_length", config.head_dim);
  add("attention.value_length", config.head_dim);
  add("rope.dimension_count", config.head_dim);
  writer.AddF32(architecture + ".rope.freq_base", static_cast<float>(config.rope_theta));
  writer.AddF32(architecture + ".attention.layer_norm_rms_epsilon", static_cast<float>(config.rms_epsilon));
  return absl::OkStatus();
}

absl::StatusOr<ModelConfig> ReadGgufConfig(const GgufFile& file) {
  ASSIGN_OR_RETURN(const std::string_view architecture, file.Text("general.architecture"));
  if (architecture != "llama") {
    return absl::InvalidArgumentError(
        fmt::format("{}: general.architecture is {}; llama is read", file.what(), architecture));
  }
  const auto key = [&](std::string_view part) { return fmt::format("{}.{}", architecture, part); };
  ModelConfig config;
  ASSIGN_OR_RETURN(config.hidden_size, file.Integer(key("embedding_length")));
  ASSIGN_OR_RETURN(config.layers, file.Integer(key("block_count")));
  ASSIGN_OR_RETURN(config.intermediate_size, file.Integer(key("feed_forward_length")));
  ASSIGN_OR_RETURN(config.heads, file.Integer(key("attention.head_count")));
  ASSIGN_OR_RETURN(config.max_positions, file.Integer(key("context_length")));
  ASSIGN_OR_RETURN(config.rms_epsilon, file.Number(key("attention.layer_norm_rms_epsilon")));
  // A float in the file, a decimal number in config.json: the shortest one that is the same float.
  const auto shortest = [](double value) {
    double parsed = value;
    const std::string text = fmt::format("{}", static_cast<float>(value));
    return std::sscanf(text.c_str(), "%lf", &parsed) == 1 ? parsed : value;
  };
  config.rms_epsilon = shortest(config.rms_epsilon);
  config.kv_heads = config.heads;
  if (file.Has(key("attention.head_count_kv"))) {
    ASSIGN_OR_RETURN(config.kv_heads, file.Integer(key("attention.head_count_kv")));
  }
  config.head_dim = config.heads > 0 ? config.hidden_size / config.heads : 0;
  if (file.Has(key("attention.key_length"))) {
    ASSIGN_OR_RETURN(config.head_dim, file.Integer(key("attention.key_length")));
  }
  for (const char* part : {"attention.value_length", "rope.dimension_count"}) {
    if (!file.Has(key(part))) continue;
    ASSIGN_OR_RETURN(const int64_t value, file.Integer(key(part)));
    if (value == config.head_dim) continue;
    return absl::InvalidArgumentError(fmt::format("{}: {} is {}, and a head has {} values: not computed here",
                                                  file.what(), key(part), value, config.head_dim));
  }
  if (file.Has(key("rope.freq_base"))) {
    ASSIGN_OR_RETURN(config.rope_theta, file.Number(key("rope.freq_base")));
    config.rope_theta = shortest(config.rope_theta);
  }
  if (file.Has(key("rope.scaling.type"))) {
    ASSIGN_OR_RETURN(const std::string_view scaling, file.Text(key("rope.scaling.type")));
    if (scaling != "none") {
      return absl::InvalidArgumentError(
          fmt::format("{}: {} is {}: not computed here", file.what(), key("rope.scaling.type"), scaling));
    }
  }
  if (file.Has(key("expert_count"))) {
    ASSIGN_OR_RETURN(const int64_t experts, file.Integer(key("expert_count")));
    if (experts > 0) {
      return absl::InvalidArgumentError(
          fmt::format("{}: {} is {}: not computed here", file.what(), key("expert_count"), experts));
    }
  }
  ASSIGN_OR_RETURN(const GgufTensor embedding, file.Tensor("token_embd.weight"));
  config.vocabulary_size = embedding.shape.front();
  config.tie_embeddings = !file.tensors().contains("output.weight");
  config.torch_dtype = embedding.type == GgmlType::kBf16  ? "bfloat16"
                       : embedding.type == GgmlType::kF16 ? "float16"
                                                          : "float32";
  for (const auto& [name, id] : {std::pair{"tokenizer.ggml.bos_token_id", &config.bos_id},
                                 std::pair{"tokenizer.ggml.eos_token_id", &config.eos_id}}) {
    if (!file.Has(name)) continue;
    ASSIGN_OR_RETURN(*id, file.Integer(name));
  }
  RETURN_IF_ERROR(Annotate(config.Validate(), file.what()));
  return config;
}

absl::Status AddGgufWeights(const ModelConfig& config, std::shared_ptr<const WeightSource> source, GgmlType type,
                            GgufWriter& writer) {
  const ParameterLayout layout(config);
  for (const Parameter& parameter : layout.parameters()) {
    const std::optional<Place> place = PlaceOf(config, parameter.name);
    if (!place) return absl::InternalError(fmt::format("{} has no name in GGUF", parameter.name));
    const std::vector<int64_t> shape = parameter.shape();
    ASSIGN_OR_RETURN(const std::vector<int64_t> actual, source->WeightShape(parameter.name));
    if (actual != shape) {
      return absl::InvalidArgumentError(fmt::format("{}: tensor {} has shape [{}], not [{}]", source->Describe(),
                                                    parameter.name, fmt::join(actual, ", "), fmt::join(shape, ", ")));
    }
    const bool whole_blocks = type != GgmlType::kQ8_0 || parameter.columns % 32 == 0;
    const GgmlType stored = parameter.matrix() && whole_blocks ? type : GgmlType::kF32;
    const auto read = [source, name = parameter.name](int64_t first, std::span<float> out) -> absl::Status {
      RETURN_IF_ERROR(source->ReadValues(name, first, out));
      return CheckFinite(*source, name, first, out);
    };
    if (place->heads == 0) {
      writer.AddTensor(place->tensor, shape, stored, read);
      continue;
    }
    const int64_t columns = parameter.matrix() ? parameter.columns : 1;
    writer.AddTensor(place->tensor, shape, stored,
                     [read, columns, head_dim = config.head_dim](int64_t first, std::span<float> out) {
                       return ReadRows(
                           columns, first, out, [&](int64_t row) { return RowFromPairs(row, head_dim); }, read);
                     });
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<WeightSource>> OpenGgufWeights(GgufFile file, const ModelConfig& config) {
  const ParameterLayout layout(config);
  std::map<std::string, Place> places;
  std::map<std::string, bool> used;
  for (const Parameter& parameter : layout.parameters()) {
    std::optional<Place> place = PlaceOf(config, parameter.name);
    if (!place) return absl::InternalError(fmt::format("{} has no name in GGUF", parameter.name));
    used[place->tensor] = true;
    places.emplace(parameter.name, *std::move(place));
  }
  for (const auto& [name, tensor] : file.tensors()) {
    if (used.contains(name)) continue;
    return absl::InvalidArgumentError(
        fmt::format("{}: tensor {}: the model as it is computed here has none of that name", file.what(), name));
  }
  return std::make_unique<GgufWeights>(std::move(file), config.head_dim, std::move(places));
}

}  // namespace rhodes
