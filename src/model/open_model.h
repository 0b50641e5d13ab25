// A model on disk, whatever the layout: its configuration and its weights by name.
#ifndef RHODES_MODEL_OPEN_MODEL_H_
#define RHODES_MODEL_OPEN_MODEL_H_

#include <memory>
#include <string>

#include "base/status.h"
#include "model/config.h"
#include "model/weight_source.h"

namespace rhodes {

struct OpenedModel {
  ModelConfig config;
  std::shared_ptr<const WeightSource> weights;
};

// Whether `path` is a file that begins as GGUF files do, or is named like one.
bool IsGgufFile(const std::string& path);

// `path` is a folder in Hugging Face's layout (config.json; model.safetensors or its shards) or a GGUF file. That each
// weight of the configuration is there in its shape, and no weight that would be left out of what is computed, is
// checked before it returns; that values are numbers is checked when they are read (ReadWeight). NOT_FOUND for a path
// that is not there; errors name the file and the key or tensor.
absl::StatusOr<OpenedModel> OpenModel(const std::string& path);

// Writes the weights of `config` as one safetensors file, each in the type that it has in `source` (f32 for what is
// quantised there), metadata {"format": "pt"}. The bytes depend on config and source alone; the file appears when whole
// and synced. Holds a piece of a weight at a time. INVALID_ARGUMENT naming the first value that is NaN or infinite.
absl::Status WriteWeights(const std::string& path, const ModelConfig& config, const WeightSource& source);

}  // namespace rhodes

#endif  // RHODES_MODEL_OPEN_MODEL_H_
