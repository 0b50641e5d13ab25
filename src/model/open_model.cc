#include "model/open_model.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>

#include "base/atomic_file.h"
#include "base/file.h"
#include "base/json.h"
#include "model/gguf_model.h"
#include "model/parameters.h"
#include "model/safetensors.h"

namespace rhodes {
namespace {

// Weights that files carry and nobody needs: positions' frequencies are computed, a tied head is the embedding.
bool IsIdle(const ModelConfig& config, std::string_view name) {
  return name.ends_with(".rotary_emb.inv_freq") || (config.tie_embeddings && name == "lm_head.weight");
}

absl::Status CheckWeights(const ModelConfig& config, const WeightSource& weights) {
  std::set<std::string> expected;
  const ParameterLayout layout(config);
  for (const Parameter& parameter : layout.parameters()) {
    expected.insert(parameter.name);
    ASSIGN_OR_RETURN(const std::vector<int64_t> shape, weights.WeightShape(parameter.name));
    if (shape == parameter.shape()) continue;
    return absl::InvalidArgumentError(fmt::format("{}: tensor {} has shape [{}], not [{}]",
                                                  weights.Describe(parameter.name), parameter.name,
                                                  fmt::join(shape, ", "), fmt::join(parameter.shape(), ", ")));
  }
  for (const std::string& name : weights.WeightNames()) {
    if (expected.contains(name) || IsIdle(config, name)) continue;
    return absl::InvalidArgumentError(fmt::format(
        "{}: tensor {}: the model as it is computed here has none of that name", weights.Describe(name), name));
  }
  return absl::OkStatus();
}

// Types in which weights are kept.
DType StoredType(DType type) { return type == DType::kBf16 || type == DType::kF16 ? type : DType::kF32; }

void AppendAs(DType type, std::span<const float> values, std::string& out) {
  if (type == DType::kF32) {
    out.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
    return;
  }
  for (const float value : values) {
    const uint16_t bits = type == DType::kBf16 ? FloatToBf16(value) : FloatToF16(value);
    char bytes[sizeof(bits)];
    std::memcpy(bytes, &bits, sizeof(bits));
    out.append(bytes, sizeof(bits));
  }
}

}  // namespace

bool IsGgufFile(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return false;
  if (path.ends_with(".gguf")) return true;
  char magic[4] = {};
  std::ifstream(path, std::ios::binary).read(magic, sizeof(magic));
  return std::string_view(magic, sizeof(magic)) == "GGUF";
}

absl::StatusOr<OpenedModel> OpenModel(const std::string& path) {
  OpenedModel model;
  if (IsGgufFile(path)) {
    ASSIGN_OR_RETURN(GgufFile file, GgufFile::Open(path));
    ASSIGN_OR_RETURN(model.config, ReadGgufConfig(file));
    ASSIGN_OR_RETURN(model.weights, OpenGgufWeights(std::move(file), model.config));
  } else {
    if (!PathExists(path)) return absl::NotFoundError(fmt::format("model {}: no such folder or file", path));
    ASSIGN_OR_RETURN(model.config, ModelConfig::Load(path + "/config.json"));
    ASSIGN_OR_RETURN(model.weights, OpenWeightFolder(path, model.config));
  }
  RETURN_IF_ERROR(CheckWeights(model.config, *model.weights));
  return model;
}

absl::Status WriteWeights(const std::string& path, const ModelConfig& config, const WeightSource& source) {
  struct Entry {
    Parameter parameter;
    DType type;
  };
  std::vector<Entry> entries;
  const ParameterLayout layout(config);
  for (const Parameter& parameter : layout.parameters()) {
    ASSIGN_OR_RETURN(const DType type, source.WeightType(parameter.name));
    entries.push_back({parameter, StoredType(type)});
  }
  // As other writers do it: larger types first, so that all are aligned; then by name.
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    const uint64_t a_bytes = DTypeBytes(a.type);
    const uint64_t b_bytes = DTypeBytes(b.type);
    return a_bytes != b_bytes ? a_bytes > b_bytes : a.parameter.name < b.parameter.name;
  });
  Json header = {{"__metadata__", {{"format", "pt"}}}};
  uint64_t offset = 0;
  for (const Entry& entry : entries) {
    const uint64_t bytes = static_cast<uint64_t>(entry.parameter.size()) * DTypeBytes(entry.type);
    header[entry.parameter.name] = {{"dtype", DTypeName(entry.type)},
                                    {"shape", entry.parameter.shape()},
                                    {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
  }
  ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create(path));
  RETURN_IF_ERROR(file.Write(SafetensorsHeader(DumpJson(header))));
  constexpr int64_t kPiece = int64_t{1} << 20;
  std::vector<float> values;
  std::string out;
  for (const auto& [parameter, type] : entries) {
    for (int64_t first = 0; first < parameter.size(); first += kPiece) {
      values.resize(static_cast<size_t>(std::min(kPiece, parameter.size() - first)));
      RETURN_IF_ERROR(source.ReadValues(parameter.name, first, values));
      RETURN_IF_ERROR(CheckFinite(source, parameter.name, first, values));
      out.clear();
      AppendAs(type, values, out);
      RETURN_IF_ERROR(file.Write(out));
    }
  }
  return file.Commit();
}

}  // namespace rhodes
