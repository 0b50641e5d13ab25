// The operations of row_ops.h as their formulas say, in f64: what the tests of the fast set trust.
#include <cmath>

#include "model/kernels/row_ops.h"

namespace rhodes {
namespace {

template <typename T>
T Low(double value) {
  return FromFloat<T>(static_cast<float>(value));
}

template <typename T>
struct Plain {
  template <typename Y>
  static void AddBias(const T* bias, int64_t rows, int64_t width, Y* y) {
    for (int64_t i = 0; i < rows * width; ++i) y[i] = Low<Y>(double{ToFloat(y[i])} + ToFloat(bias[i % width]));
  }

  static void SumRows(const T* d, int64_t rows, int64_t width, float* sums) {
    for (int64_t i = 0; i < width; ++i) {
      double sum = sums[i];
      for (int64_t r = 0; r < rows; ++r) sum += ToFloat(d[r * width + i]);
      sums[i] = static_cast<float>(sum);
    }
  }

  static void HeadNormForward(T* x, const HeadRows& s, const T* q_weight, const T* k_weight, float epsilon, T* unit,
                              float* inverse) {
    const int64_t heads = s.heads + s.kv_heads;
    for (int64_t n = 0; n < s.rows * heads; ++n) {
      T* head = x + n / heads * s.stride + n % heads * s.dim;
      const T* weight = n % heads < s.heads ? q_weight : k_weight;
      double squares = 0;
      for (int64_t i = 0; i < s.dim; ++i) squares += double{ToFloat(head[i])} * ToFloat(head[i]);
      const double factor = 1 / std::sqrt(squares / static_cast<double>(s.dim) + epsilon);
      inverse[n] = static_cast<float>(factor);
      for (int64_t i = 0; i < s.dim; ++i) {
        const double value = ToFloat(head[i]) * factor;
        unit[n * s.dim + i] = Low<T>(value);
        head[i] = Low<T>(value * ToFloat(weight[i]));
      }
    }
  }

  static void HeadNormBackward(T* d, const HeadRows& s, const T* q_weight, const T* k_weight, const T* unit,
                               const float* inverse, float* d_q_weight, float* d_k_weight) {
    const int64_t heads = s.heads + s.kv_heads;
    for (int64_t n = 0; n < s.rows * heads; ++n) {
      T* head = d + n / heads * s.stride + n % heads * s.dim;
      const T* own = unit + n * s.dim;
      const bool query = n % heads < s.heads;
      const T* weight = query ? q_weight : k_weight;
      double sum = 0;
      for (int64_t i = 0; i < s.dim; ++i) {
        const double product = double{ToFloat(head[i])} * ToFloat(own[i]);
        (query ? d_q_weight : d_k_weight)[i] += static_cast<float>(product);
        sum += product * ToFloat(weight[i]);
      }
      for (int64_t i = 0; i < s.dim; ++i) {
        const double g = double{ToFloat(head[i])} * ToFloat(weight[i]);
        head[i] = Low<T>(inverse[n] * (g - ToFloat(own[i]) * sum / static_cast<double>(s.dim)));
      }
    }
  }

  static void SumIndexed(const T* table, const int32_t* index, int64_t count, int64_t rows, int64_t width, float factor,
                         float* y) {
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t i = 0; i < width; ++i) {
        double sum = y[r * width + i];
        for (int64_t k = 0; k < count; ++k) sum += ToFloat(table[index[r * count + k] * width + i]);
        y[r * width + i] = static_cast<float>(sum * factor);
      }
    }
  }

  template <typename Y>
  static void Scale(Y* x, int64_t count, float factor) {
    for (int64_t i = 0; i < count; ++i) x[i] = Low<Y>(double{ToFloat(x[i])} * factor);
  }

  static const RowOps<T>& Table() {
    static const RowOps<T> table = {.add_bias = AddBias<T>,
                                    .add_bias_wide = AddBias<float>,
                                    .sum_rows = SumRows,
                                    .head_norm_forward = HeadNormForward,
                                    .head_norm_backward = HeadNormBackward,
                                    .sum_indexed = SumIndexed,
                                    .scale = Scale<T>,
                                    .scale_wide = Scale<float>};
    return table;
  }
};

}  // namespace

template <>
const RowOps<float>& ReferenceRowOps<float>() {
  return Plain<float>::Table();
}
template <>
const RowOps<Bf16>& ReferenceRowOps<Bf16>() {
  return Plain<Bf16>::Table();
}

}  // namespace rhodes
