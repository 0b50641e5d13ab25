// Weights in Hugging Face's layout: one safetensors file, or shards with an index.
#ifndef RHODES_MODEL_SHARDED_WRITER_H_
#define RHODES_MODEL_SHARDED_WRITER_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "model/safetensors.h"

namespace rhodes {

// Writes model.safetensors into `directory`, or, when the tensors are more than `shard_bytes`, files
// model-00001-of-0000N.safetensors of at most that size each (a single larger tensor apart) in the order of `tensors`,
// and last model.safetensors.index.json, without which the others are not a model. OpenWeightFolder reads both. Errors
// as WriteSafetensors.
absl::Status WriteModelFiles(const std::string& directory, std::vector<NamedTensor> tensors,
                             const std::map<std::string, std::string>& metadata = {},
                             uint64_t shard_bytes = uint64_t{5} << 30);

}  // namespace rhodes

#endif  // RHODES_MODEL_SHARDED_WRITER_H_
