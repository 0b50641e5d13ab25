// A mixture of experts: each row goes through the few gated layers that its router chooses.
#ifndef RHODES_MODEL_LAYERS_EXPERTS_H_
#define RHODES_MODEL_LAYERS_EXPERTS_H_

#include <cstdint>
#include <vector>

#include "model/layers/context.h"
#include "model/layers/router.h"
#include "model/layers/router_balance.h"

namespace rhodes {

// Σ over the chosen experts of share · down(gelu(gate(x)) · up(x)). Rows are gathered by expert, so that an expert's
// products are whole matrix products; every expert's rows are padded with zeros to a multiple of 32, which keeps the
// shapes that oneDNN sees few. Nothing is dropped: an expert takes as many rows as choose it. The order of every sum is
// fixed, so the bits do not depend on threads or load.
template <typename T>
class Experts {
 public:
  struct Activations {  // of one layer, from Forward to Backward
    Activations(const ModelConfig& config, int64_t rows);
    static uint64_t Bytes(const ModelConfig& config, int64_t rows);
    Buffer<float> logits, probabilities;  // [R, experts]
    Buffer<int32_t> chosen;               // [R, k]
    Buffer<float> shares;                 // [R, k]
    Buffer<int32_t> slots;                // [R, k]: the row's place among the gathered ones
    Buffer<int32_t> rows_of;              // [slots]: the row that stands there; -1: padding
    Buffer<float> slot_shares;            // [slots]: 0 for padding
    std::vector<int64_t> begin;           // [experts + 1]: where an expert's slots begin
    Buffer<T> gate_up;                    // [slots, 2 · inner]
  };

  explicit Experts(LayerContext<T>& context);
  static uint64_t Bytes(const ModelConfig& config, int64_t rows, bool training);

  // y [R, C] becomes (y + result) · factor.
  void Forward(int64_t rows, const T* x, const ParameterLayout::Layer& at, float factor, Activations& a, float* y);
  // d_y is the gradient of the result; d_x [R, C] grows by that of x, and its low copy is written. a.gate_up is used
  // up. `balance` has been prepared for this layer.
  void Backward(int64_t rows, const T* d_y, const T* x, const ParameterLayout::Layer& at, const RouterBalance& balance,
                Activations& a, float* d_x, T* d_x_low);

 private:
  RouterShape shape() const { return RouterShapeOf(context_.config); }
  void Choose(int64_t rows, const T* x, const ParameterLayout::Layer& at, Activations& a);
  void PlaceRows(int64_t rows, Activations& a);
  // table[slot] = from[row of the slot], zeros for padding.
  void Gather(const Activations& a, const T* from, T* table);
  void RouterBackward(int64_t rows, const T* x, const ParameterLayout::Layer& at, const RouterBalance& balance,
                      const Activations& a, float* d_x);

  LayerContext<T>& context_;
  int64_t inner_;
  Buffer<T> gathered_;      // [slots, C]: x, or the gradient of an expert's x
  Buffer<T> results_;       // [slots, C]: an expert's result, or its gradient
  Buffer<T> hidden_;        // [slots, inner]
  Buffer<float> d_shares_;  // [slots]
  Buffer<T> d_logits_;      // [R, experts]
};

}  // namespace rhodes

#endif  // RHODES_MODEL_LAYERS_EXPERTS_H_
