#include "model/model_files.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/file.h"
#include "base/json.h"

namespace rhodes {
namespace {

constexpr char kSingle[] = "model.safetensors";
constexpr char kIndex[] = "model.safetensors.index.json";

// The files that an index names, each once, in the order of their names.
absl::StatusOr<std::vector<std::string>> FilesOfIndex(const std::string& directory) {
  const std::string path = directory + "/" + kIndex;
  ASSIGN_OR_RETURN(const Json index, ReadJsonFile(path));
  const auto map = index.is_object() ? index.find("weight_map") : index.end();
  if (map == index.end() || !map->is_object()) {
    return absl::DataLossError(fmt::format("{}: it has no object \"weight_map\"", path));
  }
  std::set<std::string> names;
  for (const Json& value : *map) {
    const std::string name = value.is_string() ? value.get<std::string>() : "";
    if (name.empty() || name.find('/') != std::string::npos) {
      return absl::DataLossError(fmt::format("{}: {} is not a file of its folder", path, DumpJson(value)));
    }
    names.insert(name);
  }
  return std::vector<std::string>(names.begin(), names.end());
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ModelFileNames(const std::string& directory) {
  if (PathExists(directory + "/" + kSingle)) return std::vector<std::string>{kSingle};
  if (PathExists(directory + "/" + kIndex)) return FilesOfIndex(directory);
  std::vector<std::string> names;
  ASSIGN_OR_RETURN(const std::vector<std::string> all, ListFiles(directory));
  for (const std::string& path : all) {
    const std::string name = path.substr(path.rfind('/') + 1);
    if (name.ends_with(".safetensors") && directory + "/" + name == path) names.push_back(name);
  }
  if (!names.empty()) return names;
  return absl::NotFoundError(fmt::format("{}: no {} and no other *.safetensors", directory, kSingle));
}

namespace {

std::string ShapeText(const std::vector<int64_t>& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

// Copies a part [rows, columns] into `out`, rows of `stride`.
void PlacePart(std::span<const float> part, int64_t columns, int64_t stride, float* out) {
  for (size_t at = 0; at < part.size(); at += static_cast<size_t>(columns), out += stride) {
    std::copy_n(part.begin() + static_cast<int64_t>(at), columns, out);
  }
}

absl::Status ReadParts(const std::vector<TensorView>& parts, const std::vector<int64_t>& shape, std::span<float> out) {
  int64_t rows = 0, columns = 0;
  bool matrices = shape.size() == 2;
  for (const TensorView& part : parts) {
    matrices = matrices && part.shape.size() == 2;
    if (!matrices) break;
    rows += part.shape[0];
    columns += part.shape[1];
  }
  const auto all = [&](size_t dimension) {
    return std::ranges::all_of(parts, [&](const TensorView& p) { return p.shape[dimension] == shape[dimension]; });
  };
  const bool below = matrices && rows == shape[0] && all(1);
  const bool beside = matrices && columns == shape[1] && all(0);
  if (!below && !beside) {
    return absl::InvalidArgumentError(fmt::format("its {} parts, the first of shape {}, do not make {}", parts.size(),
                                                  ShapeText(parts.front().shape), ShapeText(shape)));
  }
  float* at = out.data();
  for (const TensorView& part : parts) {
    std::vector<float> values(static_cast<size_t>(part.elements()));
    RETURN_IF_ERROR(ReadAsFloat(part, values));
    PlacePart(values, part.shape[1], shape[1], at);
    at += below ? part.elements() : part.shape[1];
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ModelFiles> ModelFiles::Open(const std::string& directory) {
  ModelFiles files;
  files.directory_ = directory;
  ASSIGN_OR_RETURN(const std::vector<std::string> names, ModelFileNames(directory));
  for (const std::string& name : names) {
    files.paths_.push_back(directory + "/" + name);
    ASSIGN_OR_RETURN(SafetensorsFile file, SafetensorsFile::Open(files.paths_.back()));
    for (const auto& [tensor, view] : file.tensors()) files.places_[tensor].push_back(files.files_.size());
    files.files_.push_back(std::move(file));
  }
  return files;
}

absl::Status ModelFiles::Read(const std::string& name, const std::vector<int64_t>& shape, std::span<float> out) const {
  const auto found = places_.find(name);
  if (found == places_.end()) {
    return absl::NotFoundError(fmt::format("{}: tensor {} is missing", FileOf(name), name));
  }
  if (found->second.size() == 1) {
    ASSIGN_OR_RETURN(const TensorView tensor, files_[found->second.front()].Get(name, shape));
    RETURN_IF_ERROR(Annotate(ReadAsFloat(tensor, out), name));
  } else {
    std::vector<TensorView> parts;
    for (const size_t file : found->second) parts.push_back(files_[file].tensors().at(name));
    RETURN_IF_ERROR(Annotate(ReadParts(parts, shape, out), fmt::format("{}: tensor {}", directory_, name)));
  }
  const auto wrong = std::ranges::find_if_not(out, [](float value) { return std::isfinite(value); });
  if (wrong == out.end()) return absl::OkStatus();
  return absl::DataLossError(fmt::format("{}: tensor {}: value {} is {}, not a finite number",
                                         paths_[found->second.front()], name, wrong - out.begin(), *wrong));
}

std::vector<std::string> ModelFiles::names() const {
  std::vector<std::string> names;
  for (const auto& [name, files] : places_) names.push_back(name);
  return names;
}

const std::string& ModelFiles::FileOf(const std::string& name) const {
  const auto found = places_.find(name);
  if (found != places_.end()) return paths_[found->second.front()];
  return paths_.size() == 1 ? paths_.front() : directory_;
}

absl::StatusOr<std::vector<TensorView>> ModelFiles::Parts(const std::string& name) const {
  const auto found = places_.find(name);
  if (found == places_.end()) {
    return absl::NotFoundError(fmt::format("{}: tensor {} is missing", FileOf(name), name));
  }
  std::vector<TensorView> parts;
  for (const size_t file : found->second) parts.push_back(files_[file].tensors().at(name));
  return parts;
}

TensorReader ModelFiles::reader() const {
  return [this](const std::string& name, const std::vector<int64_t>& shape, std::span<float> out) {
    return Read(name, shape, out);
  };
}

absl::Status ReadWeights(const TensorReader& read, Model& model) {
  for (const Parameter& parameter : model.layout().parameters()) {
    RETURN_IF_ERROR(
        read(parameter.name, parameter.shape(),
             model.weights().subspan(static_cast<size_t>(parameter.offset), static_cast<size_t>(parameter.size()))));
  }
  model.CommitWeights();
  return absl::OkStatus();
}

absl::Status WriteModelFiles(const std::string& directory, std::vector<NamedTensor> tensors,
                             const std::map<std::string, std::string>& metadata, uint64_t shard_bytes) {
  std::vector<std::vector<NamedTensor>> shards(1);
  uint64_t total = 0, in_shard = 0;
  for (NamedTensor& named : tensors) {
    const uint64_t bytes = named.tensor.bytes.size();
    if (!shards.back().empty() && in_shard + bytes > shard_bytes) {
      shards.emplace_back();
      in_shard = 0;
    }
    in_shard += bytes;
    total += bytes;
    shards.back().push_back(std::move(named));
  }
  if (shards.size() == 1) return WriteSafetensors(directory + "/" + kSingle, std::move(shards.front()), metadata);
  Json map = Json::object();
  for (size_t i = 0; i < shards.size(); ++i) {
    const std::string name = fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, shards.size());
    for (const NamedTensor& named : shards[i]) map[named.name] = name;
    RETURN_IF_ERROR(WriteSafetensors(directory + "/" + name, std::move(shards[i]), metadata));
  }
  const Json index = {{"metadata", {{"total_size", total}}}, {"weight_map", map}};
  return WriteFileAtomically(directory + "/" + kIndex, DumpJson(index, 2) + "\n");
}

}  // namespace rhodes
