#include "model/weight_source.h"

#include <cmath>
#include <map>

#include "base/file.h"
#include "base/json.h"
#include "model/safetensors.h"

namespace rhodes {
namespace {

// Several safetensors files that make up one model.
class ShardedWeights final : public WeightSource {
 public:
  static absl::StatusOr<std::unique_ptr<WeightSource>> Open(const std::string& directory, const std::string& index);

  std::vector<std::string> WeightNames() const override {
    std::vector<std::string> names;
    for (const auto& [name, file] : owners_) names.push_back(name);
    return names;
  }
  absl::StatusOr<std::vector<int64_t>> WeightShape(const std::string& name) const override {
    ASSIGN_OR_RETURN(const SafetensorsFile* file, Owner(name));
    return file->WeightShape(name);
  }
  absl::StatusOr<DType> WeightType(const std::string& name) const override {
    ASSIGN_OR_RETURN(const SafetensorsFile* file, Owner(name));
    return file->WeightType(name);
  }
  absl::Status ReadValues(const std::string& name, int64_t first, std::span<float> out) const override {
    ASSIGN_OR_RETURN(const SafetensorsFile* file, Owner(name));
    return file->ReadValues(name, first, out);
  }
  std::string Describe() const override { return index_; }

 private:
  absl::StatusOr<const SafetensorsFile*> Owner(const std::string& name) const {
    const auto found = owners_.find(name);
    if (found == owners_.end()) return absl::NotFoundError(fmt::format("{}: tensor {} is missing", index_, name));
    return found->second;
  }

  std::string index_;
  std::map<std::string, SafetensorsFile> files_;  // by file name; nodes do not move
  std::map<std::string, const SafetensorsFile*> owners_;
};

absl::StatusOr<std::unique_ptr<WeightSource>> ShardedWeights::Open(const std::string& directory,
                                                                   const std::string& index) {
  auto weights = std::make_unique<ShardedWeights>();
  weights->index_ = index;
  ASSIGN_OR_RETURN(const Json json, ReadJsonFile(index));
  const auto map = json.is_object() ? json.find("weight_map") : json.end();
  if (!json.is_object() || map == json.end() || !map->is_object() || map->empty()) {
    return absl::DataLossError(fmt::format("{}: has no weight_map", index));
  }
  for (const auto& [name, value] : map->items()) {
    if (!value.is_string()) return absl::DataLossError(fmt::format("{}: weight_map: {}: no file name", index, name));
    const std::string file = value.get<std::string>();
    if (file.empty() || file.find('/') != std::string::npos) {
      return absl::DataLossError(fmt::format("{}: weight_map: {}: {} is not a file of this folder", index, name, file));
    }
    if (!weights->files_.contains(file)) {
      ASSIGN_OR_RETURN(SafetensorsFile opened, SafetensorsFile::Open(directory + "/" + file));
      weights->files_.emplace(file, std::move(opened));
    }
    const SafetensorsFile& opened = weights->files_.at(file);
    if (!opened.tensors().contains(name)) {
      return absl::DataLossError(fmt::format("{}: tensor {} is not in {}", index, name, file));
    }
    weights->owners_[name] = &opened;
  }
  for (const auto& [file, opened] : weights->files_) {
    for (const auto& [name, tensor] : opened.tensors()) {
      const auto owner = weights->owners_.find(name);
      if (owner == weights->owners_.end() || owner->second == &opened) continue;
      return absl::DataLossError(fmt::format("{}: tensor {} is in two files, one of them {}", index, name, file));
    }
  }
  return weights;
}

}  // namespace

absl::Status CheckFinite(const WeightSource& source, const std::string& name, int64_t first,
                         std::span<const float> values) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (std::isfinite(values[i])) continue;
    return absl::InvalidArgumentError(fmt::format("{}: tensor {}: value {} is {}", source.Describe(), name,
                                                  first + static_cast<int64_t>(i), values[i]));
  }
  return absl::OkStatus();
}

absl::Status ReadWeight(const WeightSource& source, const std::string& name, const std::vector<int64_t>& shape,
                        std::span<float> out) {
  ASSIGN_OR_RETURN(const std::vector<int64_t> actual, source.WeightShape(name));
  if (actual != shape) {
    return absl::InvalidArgumentError(fmt::format("{}: tensor {} has shape [{}], not [{}]", source.Describe(), name,
                                                  fmt::join(actual, ", "), fmt::join(shape, ", ")));
  }
  RETURN_IF_ERROR(source.ReadValues(name, 0, out));
  return CheckFinite(source, name, 0, out);
}

absl::StatusOr<std::unique_ptr<WeightSource>> OpenWeightFolder(const std::string& directory) {
  const std::string single = directory + "/model.safetensors";
  const std::string index = single + ".index.json";
  if (PathExists(single) || !PathExists(index)) {
    ASSIGN_OR_RETURN(SafetensorsFile file, SafetensorsFile::Open(single));
    return std::make_unique<SafetensorsFile>(std::move(file));
  }
  return ShardedWeights::Open(directory, index);
}

}  // namespace rhodes
