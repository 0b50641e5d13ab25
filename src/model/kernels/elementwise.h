// The work between the matrix products, vectorised for the processor at hand (Highway, dispatched at run time).
//
// T is the storage type (float or Bf16); arithmetic is f32 throughout. All arrays are dense and row-major unless a
// stride is given. Every function runs on the calling thread over the rows it is handed: callers split rows over
// threads. A row's result does not depend on how rows were split.
#ifndef RHODES_MODEL_KERNELS_ELEMENTWISE_H_
#define RHODES_MODEL_KERNELS_ELEMENTWISE_H_

#include <cstdint>

#include "model/kernels/bfloat16.h"

namespace rhodes {

struct AdamW {
  float learning_rate;
  float beta1, beta2;
  float epsilon;
  float decay;            // of the weights; 0 for vectors
  float gradient_factor;  // clipping
  float correction1;      // 1 - beta1^step
  float correction2;      // 1 - beta2^step
};
// The operations as a table, so that the fast set and the plain one (which tests trust) have the same shape.
template <typename T>
struct Elementwise {
  // out[r] = table[tokens[r]] as f32.
  void (*gather_rows)(const T* table, const uint32_t* tokens, int64_t rows, int64_t width, float* out);

  // gradient[tokens[r], begin..end) += d[r, begin..end) in row order: threads split the columns, so that the sum of a
  // token's rows has one order whatever the number of threads.
  void (*scatter_add_rows)(const float* d, const uint32_t* tokens, int64_t rows, int64_t width, int64_t begin,
                           int64_t end, float* gradient);

  // inverse[r] = 1 / sqrt(mean(x[r]²) + epsilon), unit = x · inverse, out = unit · weight. unit is kept for the
  // backward pass.
  void (*rms_norm_forward)(const float* x, const T* weight, float epsilon, int64_t rows, int64_t width, T* unit, T* out,
                           float* inverse);
  // The same with unit · weight added to `residual` instead of written.
  void (*rms_norm_add_forward)(const float* x, const T* weight, float epsilon, int64_t rows, int64_t width, T* unit,
                               float* residual, float* inverse);
  // d_x = (accumulate ? d_x : 0) + the gradient of x given d_out; d_x_low is the same in T, for the next product. d_x
  // may be null without `accumulate`. d_weight[width] is added to.
  void (*rms_norm_backward)(const T* d_out, const T* unit, const float* inverse, const T* weight, int64_t rows,
                            int64_t width, bool accumulate, float* d_x, T* d_x_low, float* d_weight);

  // Rows [heads × head_dim] of one sequence apart into heads: row r, at `position` + r of `length`, goes to
  // out[(head · length + position + r) · head_dim]. The first `rotated` heads are turned by their rotary position, in
  // the rotate-half convention of Hugging Face: (a, b) = (x[i], x[i + dim/2]) becomes (a·cos - b·sin, b·cos + a·sin),
  // with tables of [positions, dim/2].
  void (*split_heads)(const T* in, int64_t rows, int64_t heads, int64_t rotated, int64_t head_dim, int64_t position,
                      int64_t length, const float* cosine, const float* sine, T* out);
  // The way back: heads together into rows, turned the other way. It is also the backward pass of split_heads.
  void (*merge_heads)(const T* in, int64_t rows, int64_t heads, int64_t rotated, int64_t head_dim, int64_t position,
                      int64_t length, const float* cosine, const float* sine, T* out);

  // gate_up rows are [gate: inner | up: inner]; out = silu(gate) · up.
  void (*swi_glu_forward)(const T* gate_up, int64_t rows, int64_t inner, T* out);
  // In place: gate_up becomes its gradient, and d_out becomes the forward value again (recomputing it here is free, and
  // it need not be stored over the whole pass).
  void (*swi_glu_backward)(T* d_out, T* gate_up, int64_t rows, int64_t inner);
  // The same with GELU (its tanh form) for silu, and out = gelu(gate) · up · factors[r] (null: 1). Backward
  // d_factors[r] (when not null) becomes the gradient of the row's factor.
  void (*ge_glu_forward)(const T* gate_up, const float* factors, int64_t rows, int64_t inner, T* out);
  void (*ge_glu_backward)(T* d_out, T* gate_up, const float* factors, int64_t rows, int64_t inner, float* d_factors);

  // losses[r] = -ln softmax(logits[r])[targets[r]]. With `scale` != 0, logits becomes (softmax - onehot) · scale.
  // `scratch` holds `classes` floats.
  void (*softmax_cross_entropy)(T* logits, const uint32_t* targets, int64_t rows, int64_t classes, float scale,
                                float* losses, float* scratch);
  // The same for softmax(cap · tanh(logits · multiplier / cap)), without the tanh when cap is 0; the gradient is that
  // of `logits` as they came. `scratch` holds 2 · `classes` floats.
  void (*capped_cross_entropy)(T* logits, const uint32_t* targets, int64_t rows, int64_t classes, float multiplier,
                               float cap, float scale, float* losses, float* scratch);
  // In place: cap · tanh(x · multiplier / cap), or x · multiplier when cap is 0.
  void (*soft_cap)(float* x, int64_t count, float multiplier, float cap);

  // Rows of `scores` and `out` are `stride` apart, a multiple of 16. Columns [first[r], last[r]] of row r become
  // exp(s - their maximum) with s = scores · scale, or cap · tanh(scores · scale / cap) when cap is not 0; the others
  // below `columns` 0. inverse_sum[r] is 1 over their sum: the caller applies it to the product with the values, which
  // is smaller. log_sum[r] = ln Σ exp(s), for the backward pass.
  void (*attention_softmax_forward)(const float* scores, const int32_t* first, const int32_t* last, int64_t rows,
                                    int64_t columns, int64_t stride, float scale, float cap, T* out, float* inverse_sum,
                                    float* log_sum);
  // Given scores again, d_p = d_out · Vᵀ and delta[r] = Σ d_out[r]·out[r]: p = softmax(s) and d_s = p · (d_p - delta)
  // · scale, with a cap times 1 - (s / cap)²; both 0 outside [first, last].
  void (*attention_softmax_backward)(const float* scores, const float* d_p, const int32_t* first, const int32_t* last,
                                     const float* log_sum, const float* delta, int64_t rows, int64_t columns,
                                     int64_t stride, float scale, float cap, T* p, T* d_s);

  // sums[r] = Σ a[r]·b[r] over `width`; rows are a_stride and b_stride apart.
  void (*row_dots)(const T* a, int64_t a_stride, const T* b, int64_t b_stride, int64_t rows, int64_t width,
                   float* sums);

  // out[r, 0..width) = x[r, 0..width) · factors[r] (null: 1), rows `stride` apart in out and dense in x.
  void (*store_rows)(const float* x, const float* factors, int64_t rows, int64_t width, int64_t stride, T* out);

  double (*sum_of_squares)(const float* x, int64_t count);

  // One AdamW step in PyTorch's order of operations; `low` receives the new weights in T.
  void (*adamw_step)(const AdamW& settings, const float* gradient, int64_t count, float* weight, float* m, float* v,
                     T* low);
};

// The vectorised set. T is float or Bf16.
template <typename T>
const Elementwise<T>& FastElementwise();
// Loops that follow the formulas, with f64 arithmetic: for tests.
template <typename T>
const Elementwise<T>& ReferenceElementwise();

}  // namespace rhodes

#endif  // RHODES_MODEL_KERNELS_ELEMENTWISE_H_
