// The choice of experts for each row, and its gradient.
#ifndef RHODES_MODEL_LAYERS_ROUTER_H_
#define RHODES_MODEL_LAYERS_ROUTER_H_

#include <cstdint>
#include <span>

namespace rhodes {

struct RouterShape {
  int64_t experts;
  int64_t chosen;    // of each row
  bool renormalize;  // the chosen ones' probabilities are divided by their sum
  float cap;         // logits become cap · tanh(logit / cap) before the softmax; 0: they stay
};

// One row: probabilities = softmax(capped logits) of all experts; the `chosen` likeliest ones (of equal ones the lower
// number), likeliest first, and their shares.
void Route(const RouterShape& shape, std::span<const float> logits, std::span<float> probabilities,
           std::span<int32_t> chosen, std::span<float> shares);

// d_logits [experts] from the gradients of the shares. The choice itself has none.
void RouteBackward(const RouterShape& shape, std::span<const float> logits, std::span<const float> probabilities,
                   std::span<const int32_t> chosen, std::span<const float> shares, std::span<const float> d_shares,
                   std::span<float> d_logits);

}  // namespace rhodes

#endif  // RHODES_MODEL_LAYERS_ROUTER_H_
