// The choice of experts for each row, and its gradient.
#ifndef RHODES_MODEL_LAYERS_ROUTER_H_
#define RHODES_MODEL_LAYERS_ROUTER_H_

#include <cstdint>
#include <span>

#include "model/config.h"

namespace rhodes {

struct RouterShape {
  int64_t experts;
  int64_t chosen;    // of each row
  bool renormalize;  // the chosen ones' probabilities are divided by their sum
  float cap;         // logits become cap · tanh(logit / cap) before the softmax; 0: they stay
};

inline RouterShape RouterShapeOf(const ModelConfig& c) {
  return {c.experts, c.experts_per_token, c.RenormalizesExperts(), static_cast<float>(c.ComputedRouterCap())};
}

// One row: probabilities = softmax(capped logits) of all experts; the `chosen` likeliest ones (of equal ones the lower
// number), likeliest first, and their shares.
void Route(const RouterShape& shape, std::span<const float> logits, std::span<float> probabilities,
           std::span<int32_t> chosen, std::span<float> shares);

// ln Σ exp(capped logit) of a row that Route has seen; `likeliest` is the first of the chosen.
float LogSum(const RouterShape& shape, std::span<const float> logits, std::span<const float> probabilities,
             int32_t likeliest);

// What losses of the router itself (router_balance.h) add to a row's gradient.
struct RouterLossGradient {
  std::span<const float> d_probabilities;  // [experts]
  float d_log_sum = 0;                     // of LogSum
};

// d_logits [experts] from the gradients of the shares and of the router's own losses. The choice itself has none.
void RouteBackward(const RouterShape& shape, std::span<const float> logits, std::span<const float> probabilities,
                   std::span<const int32_t> chosen, std::span<const float> shares, std::span<const float> d_shares,
                   const RouterLossGradient& own, std::span<float> d_logits);

}  // namespace rhodes

#endif  // RHODES_MODEL_LAYERS_ROUTER_H_
