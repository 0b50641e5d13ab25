#include "model/weight_source.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>

#include "model/parameters.h"
#include "model/safetensors.h"

namespace rhodes {
namespace {

class FolderWeights final : public WeightSource {
 public:
  FolderWeights(ModelFiles files, std::map<std::string, std::vector<int64_t>> shapes)
      : files_(std::move(files)), shapes_(std::move(shapes)) {}

  std::vector<std::string> WeightNames() const override { return files_.names(); }
  absl::StatusOr<std::vector<int64_t>> WeightShape(const std::string& name) const override {
    ASSIGN_OR_RETURN(const std::vector<TensorView> parts, files_.Parts(name));
    const auto expected = shapes_.find(name);
    return parts.size() == 1 || expected == shapes_.end() ? parts.front().shape : expected->second;
  }
  absl::StatusOr<DType> WeightType(const std::string& name) const override {
    ASSIGN_OR_RETURN(const std::vector<TensorView> parts, files_.Parts(name));
    return parts.front().dtype;
  }
  absl::Status ReadValues(const std::string& name, int64_t first, std::span<float> out) const override {
    ASSIGN_OR_RETURN(const std::vector<TensorView> parts, files_.Parts(name));
    ASSIGN_OR_RETURN(const std::vector<int64_t> shape, WeightShape(name));
    int64_t elements = 1;
    for (const int64_t size : shape) elements *= size;
    const int64_t count = static_cast<int64_t>(out.size());
    if (first < 0 || first > elements || count > elements - first) {
      return absl::InvalidArgumentError(fmt::format("{}: tensor {}: values [{}, {}) of {}", files_.FileOf(name), name,
                                                    first, first + count, elements));
    }
    if (parts.size() == 1) {
      return Annotate(ReadAsFloat(PartOf(parts.front(), first, count), out),
                      fmt::format("{}: tensor {}", files_.FileOf(name), name));
    }
    // In parts: the whole is put together once and kept for the pieces that follow.
    const std::lock_guard lock(mutex_);
    if (whole_name_ != name) {
      whole_name_.clear();
      whole_.resize(static_cast<size_t>(elements));
      RETURN_IF_ERROR(files_.Read(name, shape, whole_));
      whole_name_ = name;
    }
    std::copy_n(whole_.begin() + first, count, out.begin());
    return absl::OkStatus();
  }
  std::string Describe(const std::string& name) const override { return files_.FileOf(name); }

 private:
  const ModelFiles files_;
  const std::map<std::string, std::vector<int64_t>> shapes_;  // of the configuration
  mutable std::mutex mutex_;
  mutable std::string whole_name_;    // guarded
  mutable std::vector<float> whole_;  // guarded
};

}  // namespace

absl::Status CheckFinite(const WeightSource& source, const std::string& name, int64_t first,
                         std::span<const float> values) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (std::isfinite(values[i])) continue;
    return absl::DataLossError(fmt::format("{}: tensor {}: value {} is {}", source.Describe(name), name,
                                           first + static_cast<int64_t>(i), values[i]));
  }
  return absl::OkStatus();
}

absl::Status ReadWeight(const WeightSource& source, const std::string& name, const std::vector<int64_t>& shape,
                        std::span<float> out) {
  ASSIGN_OR_RETURN(const std::vector<int64_t> actual, source.WeightShape(name));
  if (actual != shape) {
    return absl::InvalidArgumentError(fmt::format("{}: tensor {} has shape [{}], not [{}]", source.Describe(name), name,
                                                  fmt::join(actual, ", "), fmt::join(shape, ", ")));
  }
  RETURN_IF_ERROR(source.ReadValues(name, 0, out));
  return CheckFinite(source, name, 0, out);
}

TensorReader ReaderOf(const WeightSource& source) {
  return [&source](const std::string& name, const std::vector<int64_t>& shape, std::span<float> out) {
    return ReadWeight(source, name, shape, out);
  };
}

absl::StatusOr<std::unique_ptr<WeightSource>> OpenWeightFolder(const std::string& directory,
                                                               const ModelConfig& config) {
  ASSIGN_OR_RETURN(ModelFiles files, ModelFiles::Open(directory));
  std::map<std::string, std::vector<int64_t>> shapes;
  const ParameterLayout layout(config);
  for (const Parameter& parameter : layout.parameters()) shapes.emplace(parameter.name, parameter.shape());
  return std::make_unique<FolderWeights>(std::move(files), std::move(shapes));
}

}  // namespace rhodes
