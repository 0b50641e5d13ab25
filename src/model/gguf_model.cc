#include "model/gguf_model.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "model/parameters.h"

namespace rhodes {
namespace {

// Where a weight lies in a GGUF file.
struct Place {
  std::string tensor;
  bool pairs = false;  // rows are in llama.cpp's order of pairs
  int64_t slice = -1;  // of an expert: which of the tensor's matrices
};

using NamePair = std::pair<std::string_view, std::string_view>;

constexpr NamePair kWholeNames[] = {
    {"model.embed_tokens.weight", "token_embd.weight"},
    {"model.norm.weight", "output_norm.weight"},
    {"lm_head.weight", "output.weight"},
};
constexpr NamePair kLayerNames[] = {
    {"input_layernorm", "attn_norm"},
    {"self_attn.q_proj", "attn_q"},
    {"self_attn.k_proj", "attn_k"},
    {"self_attn.v_proj", "attn_v"},
    {"self_attn.q_norm", "attn_q_norm"},
    {"self_attn.k_norm", "attn_k_norm"},
    {"self_attn.o_proj", "attn_output"},
    {"post_attention_layernorm", "ffn_norm"},
    {"mlp.gate_proj", "ffn_gate"},
    {"mlp.up_proj", "ffn_up"},
    {"mlp.down_proj", "ffn_down"},
    // Grok-2.
    {"pre_attn_norm", "attn_norm"},
    {"post_attn_norm", "attn_output_norm"},
    {"pre_moe_norm", "ffn_norm"},
    {"post_moe_norm", "post_ffw_norm"},
    {"block_sparse_moe.gate", "ffn_gate_inp"},
};
constexpr NamePair kExpertNames[] = {{"w1", "ffn_gate_exps"}, {"w3", "ffn_up_exps"}, {"w2", "ffn_down_exps"}};

// `text` without `prefix`; nothing when it does not begin with it.
std::optional<std::string_view> After(std::string_view text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return std::nullopt;
  return text.substr(prefix.size());
}

// `name` is a Hugging Face name. Nothing for one that has no place in GGUF files.
std::optional<Place> PlaceOf(const ModelConfig& config, std::string_view name) {
  for (const auto& [hugging_face, gguf] : kWholeNames) {
    if (name == hugging_face) return Place{std::string(gguf)};
  }
  const std::optional<std::string_view> in_layers = After(name, "model.layers.");
  if (!in_layers) return std::nullopt;
  const size_t dot = in_layers->find('.');
  const size_t last = in_layers->rfind('.');
  if (dot == std::string_view::npos || last <= dot) return std::nullopt;
  const std::string_view layer = in_layers->substr(0, dot);
  const std::string_view part = in_layers->substr(dot + 1, last - dot - 1);
  const std::string_view suffix = in_layers->substr(last);  // ".weight" or ".bias"
  if (const std::optional<std::string_view> expert = After(part, "block_sparse_moe.experts.")) {
    const size_t end = expert->find('.');
    int64_t number = 0;
    if (end == std::string_view::npos ||
        std::from_chars(expert->data(), expert->data() + end, number).ec != std::errc()) {
      return std::nullopt;
    }
    for (const auto& [hugging_face, gguf] : kExpertNames) {
      if (expert->substr(end + 1) == hugging_face)
        return Place{fmt::format("blk.{}.{}{}", layer, gguf, suffix), false, number};
    }
    return std::nullopt;
  }
  for (const auto& [hugging_face, gguf] : kLayerNames) {
    if (part != hugging_face) continue;
    const bool pairs = (gguf == "attn_q" || gguf == "attn_k") && GgufArchitecture(config) == "llama";
    return Place{fmt::format("blk.{}.{}{}", layer, gguf, suffix), pairs};
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

// Of a weight, checked; the place of a bad value is that in the source's order.
absl::Status ReadChecked(const WeightSource& source, const std::string& name, int64_t first, std::span<float> out) {
  RETURN_IF_ERROR(source.ReadValues(name, first, out));
  return CheckFinite(source, name, first, out);
}

// Weights of `size` values each, one after another.
GgufWriter::Fill ReadParts(std::shared_ptr<const WeightSource> source, std::vector<std::string> names, int64_t size) {
  return [source = std::move(source), names = std::move(names), size](int64_t first,
                                                                      std::span<float> out) -> absl::Status {
    while (!out.empty()) {
      const auto part = static_cast<size_t>(first / size);
      const int64_t count = std::min(size - first % size, static_cast<int64_t>(out.size()));
      RETURN_IF_ERROR(ReadChecked(*source, names[part], first % size, out.first(static_cast<size_t>(count))));
      out = out.subspan(static_cast<size_t>(count));
      first += count;
    }
    return absl::OkStatus();
  };
}

// A query or key projection, or its bias, in llama.cpp's order of pairs.
GgufWriter::Fill ReadPairs(std::shared_ptr<const WeightSource> source, const Parameter& parameter, int64_t head_dim) {
  const int64_t columns = parameter.matrix() ? parameter.columns : 1;
  return [source = std::move(source), name = parameter.name, columns, head_dim](int64_t first, std::span<float> out) {
    return ReadRows(
        columns, first, out, [&](int64_t row) { return RowFromPairs(row, head_dim); },
        [&](int64_t at, std::span<float> part) { return ReadChecked(*source, name, at, part); });
  };
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
    ASSIGN_OR_RETURN(GgufTensor tensor, file_.Tensor(place->tensor));
    if (place->slice < 0) return tensor.shape;
    if (tensor.shape.size() < 2 || place->slice >= tensor.shape.front()) {
      return absl::NotFoundError(
          fmt::format("{}: tensor {} has no part {}", file_.what(), place->tensor, place->slice));
    }
    tensor.shape.erase(tensor.shape.begin());
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
      return Annotate(ReadGgufValues(tensor, at, part), fmt::format("{}: tensor {}", file_.what(), place->tensor));
    };
    const int64_t size = tensor.elements() / tensor.shape.front();
    if (place->slice >= 0) {
      if (first < 0 || first > size || static_cast<int64_t>(out.size()) > size - first) {
        return absl::InvalidArgumentError(
            fmt::format("{}: tensor {}: values beyond part {}", file_.what(), place->tensor, place->slice));
      }
      return read(place->slice * size + first, out);
    }
    if (!place->pairs) return read(first, out);
    return ReadRows(
        size, first, out, [&](int64_t row) { return RowToPairs(row, head_dim_); }, read);
  }
  std::string Describe(const std::string& /*name*/) const override { return file_.what(); }

 private:
  absl::StatusOr<const Place*> Find(const std::string& name) const {
    const auto found = places_.find(name);
    if (found == places_.end()) return absl::NotFoundError(fmt::format("{}: weight {} is missing", file_.what(), name));
    return &found->second;
  }

  GgufFile file_;
  int64_t head_dim_;
  std::map<std::string, Place> places_;  // by Hugging Face name
};

}  // namespace

absl::Status AddGgufWeights(const ModelConfig& config, const std::shared_ptr<const WeightSource>& source, GgmlType type,
                            GgufWriter& writer) {
  if (config.rope_scaling.kind == RopeScaling::Kind::kLlama3) {
    writer.AddTensor(kRotaryFactorsTensor, {config.head_dim / 2}, GgmlType::kF32,
                     [factors = Llama3RotaryFactors(config)](int64_t first, std::span<float> out) {
                       std::copy_n(factors.begin() + first, out.size(), out.begin());
                       return absl::OkStatus();
                     });
  }
  const ParameterLayout layout(config);
  // Experts of one tensor, by their number.
  std::map<std::string, std::vector<std::string>> slices;
  for (const Parameter& parameter : layout.parameters()) {
    const std::optional<Place> place = PlaceOf(config, parameter.name);
    if (place && place->slice >= 0) slices[place->tensor].push_back(parameter.name);
  }
  for (const Parameter& parameter : layout.parameters()) {
    const std::optional<Place> place = PlaceOf(config, parameter.name);
    if (!place) return absl::InternalError(fmt::format("{} has no name in GGUF", parameter.name));
    std::vector<int64_t> shape = parameter.shape();
    ASSIGN_OR_RETURN(const std::vector<int64_t> actual, source->WeightShape(parameter.name));
    if (actual != shape) {
      return absl::InvalidArgumentError(fmt::format("{}: tensor {} has shape [{}], not [{}]",
                                                    source->Describe(parameter.name), parameter.name,
                                                    fmt::join(actual, ", "), fmt::join(shape, ", ")));
    }
    const bool whole_blocks = type != GgmlType::kQ8_0 || parameter.columns % 32 == 0;
    const bool rounded = parameter.matrix() && parameter.kind != ParameterKind::kRouter && whole_blocks;
    const GgmlType stored = rounded ? type : GgmlType::kF32;
    if (place->slice > 0) continue;  // goes with the first
    if (place->slice == 0) {
      const std::vector<std::string>& names = slices.at(place->tensor);
      shape.insert(shape.begin(), static_cast<int64_t>(names.size()));
      writer.AddTensor(place->tensor, shape, stored, ReadParts(source, names, parameter.size()));
    } else if (place->pairs) {
      writer.AddTensor(place->tensor, shape, stored, ReadPairs(source, parameter, config.head_dim));
    } else {
      writer.AddTensor(place->tensor, shape, stored, ReadParts(source, {parameter.name}, parameter.size()));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<WeightSource>> OpenGgufWeights(GgufFile file, const ModelConfig& config) {
  const ParameterLayout layout(config);
  std::map<std::string, Place> places;
  std::set<std::string> used;
  if (config.rope_scaling.kind == RopeScaling::Kind::kLlama3) used.insert(kRotaryFactorsTensor);
  for (const Parameter& parameter : layout.parameters()) {
    std::optional<Place> place = PlaceOf(config, parameter.name);
    if (!place) return absl::InternalError(fmt::format("{} has no name in GGUF", parameter.name));
    // An older name of the same.
    const size_t norm = place->tensor.find("post_ffw_norm");
    if (norm != std::string::npos && !file.tensors().contains(place->tensor)) {
      place->tensor.replace(norm, std::string_view("post_ffw_norm").size(), "layer_output_norm");
    }
    used.insert(place->tensor);
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
