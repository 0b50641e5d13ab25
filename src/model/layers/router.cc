#include "model/layers/router.h"

#include <algorithm>
#include <cmath>

namespace rhodes {
namespace {

float Capped(const RouterShape& shape, float logit) {
  return shape.cap > 0 ? shape.cap * std::tanh(logit / shape.cap) : logit;
}

}  // namespace

void Route(const RouterShape& shape, std::span<const float> logits, std::span<float> probabilities,
           std::span<int32_t> chosen, std::span<float> shares) {
  const size_t experts = static_cast<size_t>(shape.experts);
  float maximum = -INFINITY;
  for (size_t e = 0; e < experts; ++e) {
    probabilities[e] = Capped(shape, logits[e]);
    maximum = std::max(maximum, probabilities[e]);
  }
  float sum = 0;
  for (size_t e = 0; e < experts; ++e) sum += probabilities[e] = std::exp(probabilities[e] - maximum);
  for (size_t e = 0; e < experts; ++e) probabilities[e] /= sum;

  float kept = 0;
  for (size_t k = 0; k < static_cast<size_t>(shape.chosen); ++k) {
    int32_t best = -1;
    for (size_t e = 0; e < experts; ++e) {
      const auto taken = chosen.first(k);
      if (std::find(taken.begin(), taken.end(), static_cast<int32_t>(e)) != taken.end()) continue;
      if (best < 0 || probabilities[e] > probabilities[static_cast<size_t>(best)]) best = static_cast<int32_t>(e);
    }
    chosen[k] = best;
    kept += shares[k] = probabilities[static_cast<size_t>(best)];
  }
  if (!shape.renormalize) return;
  for (size_t k = 0; k < static_cast<size_t>(shape.chosen); ++k) shares[k] /= kept;
}

float LogSum(const RouterShape& shape, std::span<const float> logits, std::span<const float> probabilities,
             int32_t likeliest) {
  const size_t best = static_cast<size_t>(likeliest);
  return Capped(shape, logits[best]) - std::log(probabilities[best]);
}

void RouteBackward(const RouterShape& shape, std::span<const float> logits, std::span<const float> probabilities,
                   std::span<const int32_t> chosen, std::span<const float> shares, std::span<const float> d_shares,
                   const RouterLossGradient& own, std::span<float> d_logits) {
  // Of the probabilities first: share = p, or p / Σ p over the chosen.
  std::copy(own.d_probabilities.begin(), own.d_probabilities.end(), d_logits.begin());
  float kept = 0, dot = 0;
  for (size_t k = 0; k < chosen.size(); ++k) {
    kept += probabilities[static_cast<size_t>(chosen[k])];
    dot += d_shares[k] * shares[k];
  }
  for (size_t k = 0; k < chosen.size(); ++k) {
    d_logits[static_cast<size_t>(chosen[k])] += shape.renormalize ? (d_shares[k] - dot) / kept : d_shares[k];
  }
  // Then through the softmax, and through the cap.
  float mean = 0;
  for (size_t e = 0; e < probabilities.size(); ++e) mean += d_logits[e] * probabilities[e];
  for (size_t e = 0; e < probabilities.size(); ++e) {
    d_logits[e] = probabilities[e] * (d_logits[e] - mean + own.d_log_sum);
    if (shape.cap <= 0) continue;
    const float t = std::tanh(logits[e] / shape.cap);
    d_logits[e] *= 1 - t * t;
  }
}

}  // namespace rhodes
