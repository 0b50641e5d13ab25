// Every architecture's mathematics written plainly, in f64, one row after the other: what the tests trust.
#ifndef RHODES_MODEL_REFERENCE_FORWARD_H_
#define RHODES_MODEL_REFERENCE_FORWARD_H_

#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "model/config.h"
#include "model/safetensors.h"

namespace rhodes {

// Weights by their Hugging Face names. double, so that differences of them can be small.
using NamedWeights = std::map<std::string, std::vector<double>>;

// Random ones for `config` that f32 holds exactly, a function of `seed` alone.
NamedWeights RandomWeights(const ModelConfig& config, uint64_t seed);
// Writes config.json and model.safetensors into `directory`, weights as f32.
absl::Status WriteModel(const std::string& directory, const ModelConfig& config, const NamedWeights& weights);
// Logits [T, V].
std::vector<double> ReferenceLogits(const ModelConfig& config, const NamedWeights& weights,
                                    std::span<const uint32_t> tokens);
// Coefficients of the losses of a mixture's routers, see layers/router_balance.h.
struct RouterCoefficients {
  double aux = 0, z = 0;
};
// Σ -ln p(target), plus the length times the routers' losses.
double ReferenceLoss(const ModelConfig& config, const NamedWeights& weights, std::span<const uint32_t> tokens,
                     std::span<const uint32_t> targets, const RouterCoefficients& coefficients = {});

}  // namespace rhodes

#endif  // RHODES_MODEL_REFERENCE_FORWARD_H_
