// The decoder's mathematics written plainly, in f64, without a cache: what the tests trust.
#ifndef RHODES_INFER_REFERENCE_FORWARD_H_
#define RHODES_INFER_REFERENCE_FORWARD_H_

#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "model/config.h"
#include "model/safetensors.h"

namespace rhodes {

// Weights by their Hugging Face names.
using NamedWeights = std::map<std::string, std::vector<float>>;

// Random ones for `config`, a function of `seed` alone.
NamedWeights RandomWeights(const ModelConfig& config, uint64_t seed);
// Writes config.json and model.safetensors into `directory`, weights as f32.
absl::Status WriteModel(const std::string& directory, const ModelConfig& config, const NamedWeights& weights);
// Logits [T, V].
std::vector<double> ReferenceLogits(const ModelConfig& config, const NamedWeights& weights,
                                    std::span<const uint32_t> tokens);

}  // namespace rhodes

#endif  // RHODES_INFER_REFERENCE_FORWARD_H_
