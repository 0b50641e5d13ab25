#include "model/kernels/row_ops.h"

#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/kernels/row_ops.cc"
#include <hwy/foreach_target.h>
// After foreach_target.h:
#include <hwy/highway.h>

#include "model/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace rhodes {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <typename T, typename Y>
void AddBiasT(const T* bias, int64_t rows, int64_t width, Y* y) {
  for (int64_t r = 0; r < rows; ++r) {
    Y* row = y + r * width;
    ForEach(width,
            [&](auto d, int64_t i) HWY_ATTR { StoreF(hn::Add(LoadF(d, row + i), LoadF(d, bias + i)), d, row + i); });
  }
}

template <typename T>
void SumRowsT(const T* d_rows, int64_t rows, int64_t width, float* sums) {
  for (int64_t r = 0; r < rows; ++r) {
    const T* row = d_rows + r * width;
    ForEach(width, [&](auto d, int64_t i)
                       HWY_ATTR { hn::StoreU(hn::Add(hn::LoadU(d, sums + i), LoadF(d, row + i)), d, sums + i); });
  }
}

template <typename T>
void HeadNormForwardT(T* x, const HeadRows& shape, const T* q_weight, const T* k_weight, float epsilon, T* unit,
                      float* inverse) {
  const int64_t heads = shape.heads + shape.kv_heads;
  for (int64_t r = 0; r < shape.rows; ++r) {
    for (int64_t h = 0; h < heads; ++h) {
      T* head = x + r * shape.stride + h * shape.dim;
      T* unit_head = unit + (r * heads + h) * shape.dim;
      const T* weight = h < shape.heads ? q_weight : k_weight;
      const float sum = SumOver(shape.dim, [&](auto d, int64_t i) HWY_ATTR {
        const auto v = LoadF(d, head + i);
        return hn::Mul(v, v);
      });
      const float factor = 1.0f / std::sqrt(sum / static_cast<float>(shape.dim) + epsilon);
      inverse[r * heads + h] = factor;
      ForEach(shape.dim, [&](auto d, int64_t i) HWY_ATTR {
        const auto u = hn::Mul(LoadF(d, head + i), hn::Set(d, factor));
        StoreF(u, d, unit_head + i);
        StoreF(hn::Mul(u, LoadF(d, weight + i)), d, head + i);
      });
    }
  }
}

template <typename T>
void HeadNormBackwardT(T* d_rows, const HeadRows& shape, const T* q_weight, const T* k_weight, const T* unit,
                       const float* inverse, float* d_q_weight, float* d_k_weight) {
  const int64_t heads = shape.heads + shape.kv_heads;
  for (int64_t r = 0; r < shape.rows; ++r) {
    for (int64_t h = 0; h < heads; ++h) {
      T* head = d_rows + r * shape.stride + h * shape.dim;
      const T* unit_head = unit + (r * heads + h) * shape.dim;
      const T* weight = h < shape.heads ? q_weight : k_weight;
      float* d_weight = h < shape.heads ? d_q_weight : d_k_weight;
      // As in elementwise.cc: with g = d · weight, inverse · (g - unit · mean(g · unit)).
      const float sum = SumOver(shape.dim, [&](auto d, int64_t i) HWY_ATTR {
        const auto product = hn::Mul(LoadF(d, head + i), LoadF(d, unit_head + i));
        hn::StoreU(hn::Add(hn::LoadU(d, d_weight + i), product), d, d_weight + i);
        return hn::Mul(product, LoadF(d, weight + i));
      });
      const float mean = sum / static_cast<float>(shape.dim);
      const float factor = inverse[r * heads + h];
      ForEach(shape.dim, [&](auto d, int64_t i) HWY_ATTR {
        const auto g = hn::Mul(LoadF(d, head + i), LoadF(d, weight + i));
        StoreF(hn::Mul(hn::NegMulAdd(LoadF(d, unit_head + i), hn::Set(d, mean), g), hn::Set(d, factor)), d, head + i);
      });
    }
  }
}

template <typename T>
void SumIndexedT(const T* table, const int32_t* index, int64_t count, int64_t rows, int64_t width, float factor,
                 float* y) {
  for (int64_t r = 0; r < rows; ++r) {
    float* out = y + r * width;
    const int32_t* own = index + r * count;
    ForEach(width, [&](auto d, int64_t i) HWY_ATTR {
      auto sum = hn::LoadU(d, out + i);
      for (int64_t k = 0; k < count; ++k) sum = hn::Add(sum, LoadF(d, table + own[k] * width + i));
      hn::StoreU(hn::Mul(sum, hn::Set(d, factor)), d, out + i);
    });
  }
}

template <typename T>
void ScaleT(T* x, int64_t count, float factor) {
  ForEach(count, [&](auto d, int64_t i) HWY_ATTR { StoreF(hn::Mul(LoadF(d, x + i), hn::Set(d, factor)), d, x + i); });
}

template <typename T>
RowOps<T> MakeTable() {
  return {.add_bias = AddBiasT<T, T>,
          .add_bias_wide = AddBiasT<T, float>,
          .sum_rows = SumRowsT<T>,
          .head_norm_forward = HeadNormForwardT<T>,
          .head_norm_backward = HeadNormBackwardT<T>,
          .sum_indexed = SumIndexedT<T>,
          .scale = ScaleT<T>,
          .scale_wide = ScaleT<float>};
}

RowOps<float> RowOpsOfFloat() { return MakeTable<float>(); }
RowOps<Bf16> RowOpsOfBf16() { return MakeTable<Bf16>(); }

}  // namespace HWY_NAMESPACE
}  // namespace rhodes
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rhodes {

HWY_EXPORT(RowOpsOfFloat);
HWY_EXPORT(RowOpsOfBf16);

template <>
const RowOps<float>& FastRowOps<float>() {
  static const RowOps<float> table = HWY_DYNAMIC_DISPATCH(RowOpsOfFloat)();
  return table;
}
template <>
const RowOps<Bf16>& FastRowOps<Bf16>() {
  static const RowOps<Bf16> table = HWY_DYNAMIC_DISPATCH(RowOpsOfBf16)();
  return table;
}

}  // namespace rhodes
#endif  // HWY_ONCE
