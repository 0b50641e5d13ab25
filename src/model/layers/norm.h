// RMSNorm over the width of the residual stream, forward and backward.
#ifndef RHODES_MODEL_LAYERS_NORM_H_
#define RHODES_MODEL_LAYERS_NORM_H_

#include <cstdint>

#include "model/layers/context.h"

namespace rhodes {

// What the backward pass needs of a norm: unit = x / √(mean(x²) + epsilon) [R, C] and the inverse of the root [R].
template <typename T>
struct NormActivations {
  NormActivations() = default;
  NormActivations(int64_t rows, int64_t width) : unit(rows * width), inverse(rows) {}
  static uint64_t Bytes(int64_t rows, int64_t width) {
    return static_cast<uint64_t>(rows) * (static_cast<uint64_t>(width) * sizeof(T) + sizeof(float));
  }
  Buffer<T> unit;
  Buffer<float> inverse;
};

// normed = norm(residual), with the weight at `offset`.
template <typename T>
void NormForward(LayerContext<T>& context, int64_t rows, int64_t offset, NormActivations<T>& a, T* normed);
// From context.d_normed to context.d_residual and its low copy, which grow with `add` and are set without.
template <typename T>
void NormBackward(LayerContext<T>& context, int64_t rows, int64_t offset, const NormActivations<T>& a, bool add);

// residual += norm(x): the norm after a part of Grok-2's block.
template <typename T>
void PostNormForward(LayerContext<T>& context, int64_t rows, int64_t offset, const float* x, NormActivations<T>& a);
// From the residual's gradient to that of x, times `factor`.
template <typename T>
void PostNormBackward(LayerContext<T>& context, int64_t rows, int64_t offset, const NormActivations<T>& a, float factor,
                      T* d_x);

}  // namespace rhodes

#endif  // RHODES_MODEL_LAYERS_NORM_H_
