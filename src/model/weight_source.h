// A model's weights by their Hugging Face names, whatever file they lie in.
#ifndef RHODES_MODEL_WEIGHT_SOURCE_H_
#define RHODES_MODEL_WEIGHT_SOURCE_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "model/config.h"
#include "model/dtype.h"
#include "model/model_files.h"

namespace rhodes {

// Unlike a TensorReader it can be asked what is there, and gives a weight in pieces. Immutable; thread-safe.
class WeightSource {
 public:
  virtual ~WeightSource() = default;

  virtual std::vector<std::string> WeightNames() const = 0;  // sorted
  // Row-major, outermost first. NOT_FOUND naming the file and the tensor when there is none of that name.
  virtual absl::StatusOr<std::vector<int64_t>> WeightShape(const std::string& name) const = 0;
  // The type in which the values lie there; of quantised ones kF32. NOT_FOUND as above.
  virtual absl::StatusOr<DType> WeightType(const std::string& name) const = 0;
  // Values [first, first + out.size()) in row-major order as f32. INVALID_ARGUMENT naming the file and the tensor for a
  // type that is not read, and for a range beyond its end.
  virtual absl::Status ReadValues(const std::string& name, int64_t first, std::span<float> out) const = 0;
  // The file that the weight is in, for messages.
  virtual std::string Describe(const std::string& name) const = 0;

 protected:
  WeightSource() = default;
  WeightSource(const WeightSource&) = default;
  WeightSource(WeightSource&&) = default;
  WeightSource& operator=(const WeightSource&) = default;
  WeightSource& operator=(WeightSource&&) = default;
};

// DATA_LOSS "`file`: tensor `name`: value N is nan" for the first of `values` that is NaN or infinite; `first`
// is the place of values[0] in the weight.
absl::Status CheckFinite(const WeightSource& source, const std::string& name, int64_t first,
                         std::span<const float> values);

// All values of a weight, whose shape must be `shape` and whose values must be finite. INVALID_ARGUMENT "`file`: tensor
// `name`: ..." with both shapes; DATA_LOSS with the place of the first NaN or infinity; otherwise the source's errors.
absl::Status ReadWeight(const WeightSource& source, const std::string& name, const std::vector<int64_t>& shape,
                        std::span<float> out);
// ReadWeight of `source`, which must outlive it.
TensorReader ReaderOf(const WeightSource& source);

// The weights of a folder in Hugging Face's layout (ModelFiles, whose errors it has). `config` says of which shape a
// tensor in parts is.
absl::StatusOr<std::unique_ptr<WeightSource>> OpenWeightFolder(const std::string& directory, const ModelConfig& config);

}  // namespace rhodes

#endif  // RHODES_MODEL_WEIGHT_SOURCE_H_
