// Work on rows that only some architectures have: biases, norms of heads, rows summed by their expert.
//
// As in elementwise.h: T is the storage type, arithmetic is f32, every function runs on the calling thread, and a row's
// result does not depend on how rows were split.
#ifndef RHODES_MODEL_KERNELS_ROW_OPS_H_
#define RHODES_MODEL_KERNELS_ROW_OPS_H_

#include <cstdint>

#include "model/kernels/bfloat16.h"

namespace rhodes {

// Query and key heads of a row [heads | kv_heads | ...] × dim, rows `stride` apart.
struct HeadRows {
  int64_t rows;
  int64_t stride;
  int64_t heads, kv_heads, dim;
};

template <typename T>
struct RowOps {
  // y[r] += bias, for rows of T and for those of the residual stream.
  void (*add_bias)(const T* bias, int64_t rows, int64_t width, T* y);
  void (*add_bias_wide)(const T* bias, int64_t rows, int64_t width, float* y);
  // sums[width] += Σ d[r], in the order of the rows.
  void (*sum_rows)(const T* d, int64_t rows, int64_t width, float* sums);

  // In place: each query head becomes unit · q_weight and each key head unit · k_weight, where unit = x / √(mean(x²) +
  // epsilon) is kept, [rows, heads + kv_heads, dim], as is the inverse of the root, [rows, heads + kv_heads].
  void (*head_norm_forward)(T* x, const HeadRows& shape, const T* q_weight, const T* k_weight, float epsilon, T* unit,
                            float* inverse);
  // In place: d becomes the gradient of what came into the forward pass. d_q_weight and d_k_weight [dim] are added to.
  void (*head_norm_backward)(T* d, const HeadRows& shape, const T* q_weight, const T* k_weight, const T* unit,
                             const float* inverse, float* d_q_weight, float* d_k_weight);

  // y[r] = (y[r] + Σ_k table[index[r · count + k]]) · factor, in the order of k.
  void (*sum_indexed)(const T* table, const int32_t* index, int64_t count, int64_t rows, int64_t width, float factor,
                      float* y);

  // x · factor in place.
  void (*scale)(T* x, int64_t count, float factor);
  void (*scale_wide)(float* x, int64_t count, float factor);
};

// The vectorised set. T is float or Bf16.
template <typename T>
const RowOps<T>& FastRowOps();
// Loops that follow the formulas, with f64 arithmetic: for tests.
template <typename T>
const RowOps<T>& ReferenceRowOps();

}  // namespace rhodes

#endif  // RHODES_MODEL_KERNELS_ROW_OPS_H_
