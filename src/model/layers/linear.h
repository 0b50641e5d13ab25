// A product with a weight matrix, with or without a bias, forward and backward.
#ifndef RHODES_MODEL_LAYERS_LINEAR_H_
#define RHODES_MODEL_LAYERS_LINEAR_H_

#include <cstdint>

#include "model/kernels/row_ops.h"
#include "model/layers/context.h"

namespace rhodes {

// y = x · Wᵀ + b for rows of x, with W [out, in] at `weight` and b [out] at `bias` (-1: none) of the weights.
template <typename T>
struct Linear {
  LayerContext<T>& context;
  int64_t out, in;
  int64_t weight;
  int64_t bias = -1;
  Section section = Section::kProducts;

  // C is T or float; with `add` y grows.
  template <typename C>
  void Forward(int64_t rows, const T* x, C* y, bool add) const {
    const SectionTimer timer(context.seconds, section);
    context.products.Run(rows, out, in, Matrix<const T>{x, in}, Matrix<const T>{context.weights.low(weight), in, true},
                         Matrix<C>{y, out}, add);
    if (bias < 0) return;
    const T* b = context.weights.low(bias);
    ParallelRanges(context.threads, rows, 1, [&](int64_t begin, int64_t end) {
      if constexpr (sizeof(C) == sizeof(T)) {
        FastRowOps<T>().add_bias(b, end - begin, out, y + begin * out);
      } else {
        FastRowOps<T>().add_bias_wide(b, end - begin, out, y + begin * out);
      }
    });
  }

  // d_x (+)= d_y · W; X is T or float.
  template <typename X>
  void InputGradient(int64_t rows, const T* d_y, X* d_x, bool add = false) const {
    const SectionTimer timer(context.seconds, section);
    context.products.Run(rows, in, out, Matrix<const T>{d_y, out}, Matrix<const T>{context.weights.low(weight), in},
                         Matrix<X>{d_x, in}, add);
  }

  // d_W (+)= d_yᵀ · x and d_b (+)= Σ d_y: they are added when the running backward pass accumulates, or with `add`.
  void WeightGradient(int64_t rows, const T* d_y, const T* x, bool add = false) const {
    const SectionTimer timer(context.seconds, section);
    context.products.Run(out, in, rows, Matrix<const T>{d_y, out, true}, Matrix<const T>{x, in},
                         Matrix<float>{context.weights.gradient(weight), in}, context.accumulate || add);
    if (bias < 0) return;
    context.SumOverRows(
        rows, out,
        [&](int64_t begin, int64_t count, float* sums) {
          FastRowOps<T>().sum_rows(d_y + begin * out, count, out, sums);
        },
        [&](const float* sums) { context.StoreVectorGradient(bias, out, sums); });
  }
};

}  // namespace rhodes

#endif  // RHODES_MODEL_LAYERS_LINEAR_H_
