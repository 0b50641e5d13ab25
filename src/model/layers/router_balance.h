// The losses that keep a mixture's experts evenly loaded and its router's logits small, and how the load is spread.
//
// Of each sequence (T positions) in each layer, with E experts of which a position takes k:
//   balance = E · Σ_e f_e · P_e   f_e: how often e was chosen, over T; P_e: mean over the positions of p_e, the
//   router's
//                                 probability of all experts before the choice
//   z = mean over the positions of (ln Σ_e exp(logit_e))²
// from the logits as the model computes them, behind the router's cap where that is computed. f has no gradient.
// Balance is the Switch Transformer's (Fedus et al. 2021, equations 4 to 6) in the scale of transformers'
// load_balancing_loss_func for one layer: k when all experts are loaded alike, E when all positions surely choose the
// same. z is ST-MoE's (Zoph et al. 2022, equation 5).
//
// Each sequence is balanced by itself, as in DeepSeek-V2 (`seq_aux` of its configuration), and a step's loss is the
// mean over its sequences and the layers: so it does not matter how the sequences are shared out among passes and
// ranks. f and P over all positions of a batch would be other numbers for each way of cutting it.
#ifndef RHODES_MODEL_LAYERS_ROUTER_BALANCE_H_
#define RHODES_MODEL_LAYERS_ROUTER_BALANCE_H_

#include <cstdint>
#include <span>
#include <vector>

#include "model/kernels/buffer.h"
#include "model/layers/router.h"
#include "model/model.h"
#include "model/router_statistics.h"

namespace rhodes {

// One object serves all layers of a model in training. The order of every sum is fixed, whatever the threads.
class RouterBalance {
 public:
  RouterBalance(const ModelConfig& config, const ModelOptions& options);
  static uint64_t Bytes(const ModelConfig& config, const ModelOptions& options);

  // The routing of `layer` in the running backward pass over `sequences` of `length`, with R = sequences · length rows:
  // logits (before the cap) and probabilities [R, E], chosen [R, k] with the likeliest first. Counts it, and prepares
  // the gradient of scale · length · (aux · balance + z) / layers summed over the sequences, with the coefficients of
  // ModelOptions; `scale` is that of Model::ForwardBackward.
  struct Routing {
    std::span<const float> logits, probabilities;
    std::span<const int32_t> chosen;
  };
  void Prepare(int64_t layer, int64_t sequences, int64_t length, const Routing& routing, float scale);
  // What a row's gradient gets from the losses of the layer that was prepared last.
  RouterLossGradient GradientOf(int64_t row) const;

  // What was counted since creation or the last call.
  RouterStatistics Take();

 private:
  void PrepareSequence(int64_t sequence, int64_t length, const Routing& routing, float scale);

  const RouterShape shape_;
  const int64_t layers_;
  const int threads_;
  const double aux_, z_;                  // coefficients
  int64_t length_ = 1;                    // of the sequences prepared last
  Buffer<float> d_probabilities_;         // [sequences, E]
  Buffer<float> d_log_sum_;               // [R]; empty without the z-loss
  std::vector<int64_t> choices_;          // [sequences, E]
  std::vector<double> balance_, z_sums_;  // [sequences]
  RouterStatistics statistics_;
};

}  // namespace rhodes

#endif  // RHODES_MODEL_LAYERS_ROUTER_BALANCE_H_
