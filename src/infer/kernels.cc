#include "infer/kernels.h"

#include <cmath>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "infer/kernels.cc"
#include <hwy/foreach_target.h>
// After foreach_target.h:
#include <hwy/highway.h>

#include "model/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace rhodes {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using F = hn::CappedTag<float, kRowGrain / 2>;  // two vectors never exceed a padded row

HWY_INLINE int64_t LaneCount() { return static_cast<int64_t>(hn::Lanes(F())); }

// bf16 rows are read as pairs in 32-bit lanes: the even elements are the pairs' lower halves, the odd ones their upper
// halves. So x is laid out as a vector of even elements, then one of odd ones, and no weight is ever shuffled.
void Arrange(const float* x, int64_t columns, float* out, bool pairs) {
  const int64_t padded = PaddedColumns(columns);
  std::memset(out + columns / (2 * LaneCount()) * (2 * LaneCount()), 0,
              static_cast<size_t>(padded - columns / (2 * LaneCount()) * (2 * LaneCount())) * sizeof(float));
  if (!pairs) {
    std::memcpy(out, x, static_cast<size_t>(columns) * sizeof(float));
    return;
  }
  const F d;
  const int64_t lanes = LaneCount();
  int64_t i = 0;
  for (; i + 2 * lanes <= columns; i += 2 * lanes) {
    hn::Vec<F> even, odd;
    hn::LoadInterleaved2(d, x + i, even, odd);
    hn::StoreU(even, d, out + i);
    hn::StoreU(odd, d, out + i + lanes);
  }
  for (int64_t k = i; k < columns; ++k) out[i + (k - i) % 2 * lanes + (k - i) / 2] = x[k];
}
void ArrangeF32(const float* x, int64_t columns, float* out) { Arrange(x, columns, out, false); }
void ArrangeBf16(const float* x, int64_t columns, float* out) { Arrange(x, columns, out, true); }

// The two vectors of weights that meet arranged x at i and i + lanes.
struct TwoVectors {
  hn::Vec<F> first, second;
};
HWY_INLINE TwoVectors LoadWeights(const float* w) {
  const F d;
  return {hn::LoadU(d, w), hn::LoadU(d, w + hn::Lanes(d))};
}
HWY_INLINE TwoVectors LoadWeights(const Bf16* w) {
  const F d;
  const hn::RebindToUnsigned<F> d32;
  const auto pairs = hn::LoadU(d32, reinterpret_cast<const uint32_t*>(w));
  return {hn::BitCast(d, hn::ShiftLeft<16>(pairs)), hn::BitCast(d, hn::And(pairs, hn::Set(d32, 0xFFFF0000u)))};
}

HWY_INLINE void Put(float* y, float value, bool add) { *y = add ? *y + value : value; }

// kOutputs rows of weights times kRows rows of x. Each of the sums is one chain in the order of the columns, so that
// the tile's shape does not show in the result.
template <int kOutputs, int kRows, typename T>
HWY_INLINE void Tile(const T* w, int64_t stride, const float* x, float* y, int64_t y_stride, bool add) {
  const F d;
  const int64_t lanes = LaneCount();
  hn::Vec<F> sums[kOutputs][kRows];
  for (int o = 0; o < kOutputs; ++o) {
    for (int r = 0; r < kRows; ++r) sums[o][r] = hn::Zero(d);
  }
  for (int64_t i = 0; i < stride; i += 2 * lanes) {
    hn::Vec<F> first[kRows], second[kRows];
    for (int r = 0; r < kRows; ++r) {
      first[r] = hn::LoadU(d, x + r * stride + i);
      second[r] = hn::LoadU(d, x + r * stride + i + lanes);
    }
    for (int o = 0; o < kOutputs; ++o) {
      const TwoVectors weights = LoadWeights(w + o * stride + i);
      for (int r = 0; r < kRows; ++r) {
        sums[o][r] = hn::MulAdd(weights.first, first[r], sums[o][r]);
        sums[o][r] = hn::MulAdd(weights.second, second[r], sums[o][r]);
      }
    }
  }
  for (int o = 0; o < kOutputs; ++o) {
    for (int r = 0; r < kRows; ++r) Put(y + r * y_stride + o, hn::GetLane(hn::SumOfLanes(d, sums[o][r])), add);
  }
}

template <int kRows, typename T>
HWY_INLINE void Strip(const T* w, int64_t stride, int64_t begin, int64_t end, const float* x, float* y,
                      int64_t y_stride, bool add) {
  int64_t n = begin;
  for (; n + 4 <= end; n += 4) Tile<4, kRows>(w + n * stride, stride, x, y + n, y_stride, add);
  for (; n < end; ++n) Tile<1, kRows>(w + n * stride, stride, x, y + n, y_stride, add);
}

template <typename T>
void ProductsT(const T* w, int64_t stride, int64_t begin, int64_t end, const float* x, int64_t rows, float* y,
               int64_t y_stride, bool add) {
  int64_t r = 0;
  for (; r + 4 <= rows; r += 4) Strip<4>(w, stride, begin, end, x + r * stride, y + r * y_stride, y_stride, add);
  for (; r + 2 <= rows; r += 2) Strip<2>(w, stride, begin, end, x + r * stride, y + r * y_stride, y_stride, add);
  for (; r < rows; ++r) Strip<1>(w, stride, begin, end, x + r * stride, y + r * y_stride, y_stride, add);
}

void SoftCap(float* x, int64_t count, float multiplier, float cap) {
  const float inner = cap > 0 ? multiplier / cap : multiplier;
  ForEach(count, [&](auto d, int64_t i) HWY_ATTR {
    const auto v = hn::Mul(hn::LoadU(d, x + i), hn::Set(d, inner));
    hn::StoreU(cap > 0 ? hn::Mul(FastTanh(d, v), hn::Set(d, cap)) : v, d, x + i);
  });
}

template <typename T>
void SoftmaxT(float* scores, int64_t valid, int64_t columns, float scale, float cap, T* out) {
  if (cap > 0) {
    SoftCap(scores, valid, scale, cap);
    scale = 1.0f;
  }
  const float top = scale * MaximumOver(valid, [&](auto d, int64_t i) HWY_ATTR { return hn::LoadU(d, scores + i); });
  const float sum = SumOver(valid, [&](auto d, int64_t i) HWY_ATTR {
    const auto e = FastExp(d, hn::MulSub(hn::LoadU(d, scores + i), hn::Set(d, scale), hn::Set(d, top)));
    hn::StoreU(e, d, scores + i);
    return e;
  });
  const float inverse = 1.0f / sum;
  ForEach(valid, [&](auto d, int64_t i)
                     HWY_ATTR { StoreF(hn::Mul(hn::LoadU(d, scores + i), hn::Set(d, inverse)), d, out + i); });
  std::memset(static_cast<void*>(out + valid), 0, static_cast<size_t>(columns - valid) * sizeof(T));
}

template <typename T>
void AttendT(const float* query, const T* keys, const T* values, int64_t positions, int64_t head_dim, float scale,
             float cap, float* scores, float* out) {
  for (int64_t t = 0; t < positions; ++t) {
    const T* key = keys + t * head_dim;
    scores[t] = SumOver(
        head_dim, [&](auto d, int64_t i) HWY_ATTR { return hn::Mul(hn::LoadU(d, query + i), LoadF(d, key + i)); });
  }
  SoftmaxT<float>(scores, positions, positions, scale, cap, scores);
  ForEach(head_dim, [&](auto d, int64_t i) HWY_ATTR {
    auto even = hn::Zero(d);
    auto odd = hn::Zero(d);
    int64_t t = 0;
    for (; t + 2 <= positions; t += 2) {
      even = hn::MulAdd(hn::Set(d, scores[t]), LoadF(d, values + t * head_dim + i), even);
      odd = hn::MulAdd(hn::Set(d, scores[t + 1]), LoadF(d, values + (t + 1) * head_dim + i), odd);
    }
    if (t < positions) even = hn::MulAdd(hn::Set(d, scores[t]), LoadF(d, values + t * head_dim + i), even);
    hn::StoreU(hn::Add(even, odd), d, out + i);
  });
}

void RmsNorm(const float* x, const float* weight, float epsilon, int64_t width, float* out) {
  const float sum = SumOver(width, [&](auto d, int64_t i) HWY_ATTR {
    const auto v = hn::LoadU(d, x + i);
    return hn::Mul(v, v);
  });
  const float factor = 1.0f / std::sqrt(sum / static_cast<float>(width) + epsilon);
  ForEach(width, [&](auto d, int64_t i) HWY_ATTR {
    hn::StoreU(hn::Mul(hn::Mul(hn::LoadU(d, x + i), hn::Set(d, factor)), hn::LoadU(d, weight + i)), d, out + i);
  });
}

void Rotate(float* row, int64_t heads, int64_t head_dim, const float* cosine, const float* sine) {
  const int64_t half = head_dim / 2;
  for (int64_t head = 0; head < heads; ++head) {
    float* a = row + head * head_dim;
    float* b = a + half;
    ForEach(half, [&](auto d, int64_t i) HWY_ATTR {
      const auto x = hn::LoadU(d, a + i);
      const auto y = hn::LoadU(d, b + i);
      const auto c = hn::LoadU(d, cosine + i);
      const auto s = hn::LoadU(d, sine + i);
      hn::StoreU(hn::Sub(hn::Mul(x, c), hn::Mul(y, s)), d, a + i);
      hn::StoreU(hn::Add(hn::Mul(y, c), hn::Mul(x, s)), d, b + i);
    });
  }
}

void SwiGlu(const float* gate_up, int64_t inner, float* out) {
  ForEach(inner, [&](auto d, int64_t i) HWY_ATTR {
    const auto gate = hn::LoadU(d, gate_up + i);
    const auto one = hn::Set(d, 1.0f);
    const auto silu = hn::Div(gate, hn::Add(one, FastExp(d, hn::Neg(gate))));
    hn::StoreU(hn::Mul(silu, hn::LoadU(d, gate_up + inner + i)), d, out + i);
  });
}

// x · sigmoid(2 · √(2/π) · (x + 0.044715 x³)), which is the tanh form.
void GeGlu(const float* gate_up, int64_t inner, float* out) {
  ForEach(inner, [&](auto d, int64_t i) HWY_ATTR {
    const auto gate = hn::LoadU(d, gate_up + i);
    const auto one = hn::Set(d, 1.0f);
    const auto slope = hn::MulAdd(hn::Mul(gate, gate), hn::Set(d, 0.07135481628f), hn::Set(d, 1.5957691216f));
    const auto gelu = hn::Div(gate, hn::Add(one, FastExp(d, hn::Neg(hn::Mul(gate, slope)))));
    hn::StoreU(hn::Mul(gelu, hn::LoadU(d, gate_up + inner + i)), d, out + i);
  });
}

void AddScaled(const float* x, int64_t count, float factor, float* y) {
  ForEach(count, [&](auto d, int64_t i) HWY_ATTR {
    hn::StoreU(hn::MulAdd(hn::LoadU(d, x + i), hn::Set(d, factor), hn::LoadU(d, y + i)), d, y + i);
  });
}

template <typename T>
void StoreT(const float* x, int64_t count, T* out) {
  ForEach(count, [&](auto d, int64_t i) HWY_ATTR { StoreF(hn::LoadU(d, x + i), d, out + i); });
}
template <typename T>
void LoadT(const T* x, int64_t count, float* out) {
  ForEach(count, [&](auto d, int64_t i) HWY_ATTR { hn::StoreU(LoadF(d, x + i), d, out + i); });
}

InferKernels<float> KernelsF32() {
  return {ArrangeF32, ProductsT<float>, AttendT<float>, SoftmaxT<float>, RmsNorm,     Rotate, SwiGlu,
          GeGlu,      SoftCap,          AddScaled,      StoreT<float>,   LoadT<float>};
}
InferKernels<Bf16> KernelsBf16() {
  return {ArrangeBf16, ProductsT<Bf16>, AttendT<Bf16>, SoftmaxT<Bf16>, RmsNorm,      Rotate,
          SwiGlu,      GeGlu,           SoftCap,       AddScaled,      StoreT<Bf16>, LoadT<Bf16>};
}

}  // namespace HWY_NAMESPACE
}  // namespace rhodes
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rhodes {

HWY_EXPORT(KernelsF32);
HWY_EXPORT(KernelsBf16);

template <>
const InferKernels<float>& FastInferKernels<float>() {
  static const InferKernels<float> kernels = HWY_DYNAMIC_DISPATCH(KernelsF32)();
  return kernels;
}
template <>
const InferKernels<Bf16>& FastInferKernels<Bf16>() {
  static const InferKernels<Bf16> kernels = HWY_DYNAMIC_DISPATCH(KernelsBf16)();
  return kernels;
}

}  // namespace rhodes
#endif  // HWY_ONCE
