// The model directory in Hugging Face's layout.
#ifndef RHODES_TRAIN_EXPORT_H_
#define RHODES_TRAIN_EXPORT_H_

#include <string>

#include "base/status.h"
#include "model/model.h"
#include "token/tokenizer.h"

namespace rhodes {

// Writes config.json, model.safetensors, tokenizer.json (copied from `tokenizer_path`), tokenizer_config.json and
// generation_config.json into `directory`, which exists. The weights are those the model computes with: bf16 when it
// computes in bf16, else f32.
absl::Status ExportModel(Model& model, const Tokenizer& tokenizer, const std::string& tokenizer_path,
                         const std::string& directory);

// Reads the weights of `directory`/model.safetensors into `model`, whose configuration must be that of the directory.
// INVALID_ARGUMENT naming the tensor when a value is no number.
absl::Status LoadWeights(const std::string& directory, Model& model);

}  // namespace rhodes

#endif  // RHODES_TRAIN_EXPORT_H_
