// The loops of a decoding step, vectorised for the processor at hand (Highway, dispatched at run time).
//
// T is the storage type of weights and cache (float or Bf16); activations and sums are f32. Everything runs on the
// calling thread. A row's result depends on that row alone, not on what rows it is computed with: an answer does not
// change with the company its request has.
#ifndef RHODES_INFER_KERNELS_H_
#define RHODES_INFER_KERNELS_H_

#include <cstdint>

#include "model/kernels/bfloat16.h"

namespace rhodes {

// Rows of weights are padded with zeros to a multiple of this many elements.
inline constexpr int64_t kRowGrain = 64;
inline int64_t PaddedColumns(int64_t columns) { return (columns + kRowGrain - 1) / kRowGrain * kRowGrain; }

template <typename T>
struct InferKernels {
  // Copies a row of `columns` values into `out` (PaddedColumns long) in the order that `products` reads, zero-padded.
  void (*arrange)(const float* x, int64_t columns, float* out);

  // y[r, n] = Σ x[r]·w[n], or adds to y, for r < rows and n in [begin, end). `x` has arranged rows, `stride` is
  // PaddedColumns(columns) for both; rows of y are `y_stride` apart.
  void (*products)(const T* w, int64_t stride, int64_t begin, int64_t end, const float* x, int64_t rows, float* y,
                   int64_t y_stride, bool add);

  // One query over `positions` keys and values (rows of head_dim): out = Σ softmax(query·keys·scale)·values. With a cap
  // the softmax is of cap · tanh(query·keys·scale / cap); 0: none. `scores` holds `positions` floats.
  void (*attend)(const float* query, const T* keys, const T* values, int64_t positions, int64_t head_dim, float scale,
                 float cap, float* scores, float* out);

  // In place on a row of scores: softmax(scores·scale), capped as above, over the first `valid` of them into `out`,
  // zeros up to `columns`.
  void (*softmax)(float* scores, int64_t valid, int64_t columns, float scale, float cap, T* out);

  // out = x / sqrt(mean(x²) + epsilon) · weight.
  void (*rms_norm)(const float* x, const float* weight, float epsilon, int64_t width, float* out);

  // Rotary positions, rotate-half convention, in place on `heads` heads; tables hold head_dim/2 values of the position.
  void (*rotate)(float* row, int64_t heads, int64_t head_dim, const float* cosine, const float* sine);

  // out = silu(gate)·up for a row [gate: inner | up: inner].
  void (*swi_glu)(const float* gate_up, int64_t inner, float* out);
  // The same with GELU in its tanh form.
  void (*ge_glu)(const float* gate_up, int64_t inner, float* out);
  // x = cap · tanh(x · multiplier / cap) in place; without the tanh when cap is 0.
  void (*soft_cap)(float* x, int64_t count, float multiplier, float cap);
  // y += x · factor.
  void (*add)(const float* x, int64_t count, float factor, float* y);

  void (*store)(const float* x, int64_t count, T* out);
  void (*load)(const T* x, int64_t count, float* out);
};

// The set for this processor. T is float or Bf16.
template <typename T>
const InferKernels<T>& FastInferKernels();

}  // namespace rhodes

#endif  // RHODES_INFER_KERNELS_H_
