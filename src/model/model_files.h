// The weights of a model in Hugging Face's layout, in one safetensors file or many.
#ifndef RHODES_MODEL_MODEL_FILES_H_
#define RHODES_MODEL_MODEL_FILES_H_

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "model/model.h"
#include "model/safetensors.h"

namespace rhodes {

// Reads the tensor of this name and shape as f32 into `out`, which has that many places. Errors name the tensor.
using TensorReader =
    std::function<absl::Status(const std::string& name, const std::vector<int64_t>& shape, std::span<float> out)>;

// The names of the files in `directory` that hold its weights: model.safetensors when it is there, otherwise those that
// model.safetensors.index.json names, otherwise all *.safetensors in the order of their names. NOT_FOUND when there is
// none; DATA_LOSS for a damaged index.
absl::StatusOr<std::vector<std::string>> ModelFileNames(const std::string& directory);

// The safetensors files of a folder, memory-mapped. Immutable, movable; thread-safe.
class ModelFiles {
 public:
  // Those of ModelFileNames. Its errors; DATA_LOSS for a damaged file.
  static absl::StatusOr<ModelFiles> Open(const std::string& directory);

  // A tensor in parts (Grok-2's files hold each expert's matrices cut over eight: gate and up along the first
  // dimension, down along the second) is put together in the order of the files. NOT_FOUND when it is missing;
  // INVALID_ARGUMENT with both shapes when it, or its parts together, are not of `shape`, or for a number format that
  // is not a float's;
  // DATA_LOSS when a value is not a finite number.
  absl::Status Read(const std::string& name, const std::vector<int64_t>& shape, std::span<float> out) const;
  std::vector<std::string> names() const;  // sorted
  // The tensor, or its parts in the order of the files. NOT_FOUND when it is missing.
  absl::StatusOr<std::vector<TensorView>> Parts(const std::string& name) const;
  const std::string& directory() const { return directory_; }
  // The file that the tensor (its first part) is in; the folder when it is in none.
  const std::string& FileOf(const std::string& name) const;
  // Read, bound to this object, which must outlive it.
  TensorReader reader() const;

 private:
  std::string directory_;
  std::vector<std::string> paths_;
  std::vector<SafetensorsFile> files_;
  std::map<std::string, std::vector<size_t>> places_;  // files that hold a tensor of the name
};

// Reads all weights of `model` and commits them.
absl::Status ReadWeights(const TensorReader& read, Model& model);

// Writes model.safetensors into `directory`, or, when the tensors are more than `shard_bytes`, files
// model-00001-of-0000N.safetensors of at most that size each (a single larger tensor apart) in the order of `tensors`,
// and last model.safetensors.index.json, without which the others are not a model. Errors as WriteSafetensors.
absl::Status WriteModelFiles(const std::string& directory, std::vector<NamedTensor> tensors,
                             const std::map<std::string, std::string>& metadata = {},
                             uint64_t shard_bytes = uint64_t{5} << 30);

}  // namespace rhodes

#endif  // RHODES_MODEL_MODEL_FILES_H_
