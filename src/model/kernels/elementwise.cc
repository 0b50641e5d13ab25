#include "model/kernels/elementwise.h"

#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/kernels/elementwise.cc"
#include <hwy/foreach_target.h>
// After foreach_target.h:
#include <hwy/highway.h>

#include "model/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace rhodes {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <typename T>
void GatherRowsT(const T* table, const uint32_t* tokens, int64_t rows, int64_t width, float* out) {
  for (int64_t r = 0; r < rows; ++r) {
    const T* from = table + tokens[r] * width;
    float* to = out + r * width;
    ForEach(width, [&](auto d, int64_t i) HWY_ATTR { hn::StoreU(LoadF(d, from + i), d, to + i); });
  }
}

void ScatterAddRowsT(const float* d_rows, const uint32_t* tokens, int64_t rows, int64_t width, int64_t begin,
                     int64_t end, float* gradient) {
  for (int64_t r = 0; r < rows; ++r) {
    const float* from = d_rows + r * width + begin;
    float* to = gradient + tokens[r] * width + begin;
    ForEach(end - begin, [&](auto d, int64_t i) HWY_ATTR {
      hn::StoreU(hn::Add(hn::LoadU(d, to + i), hn::LoadU(d, from + i)), d, to + i);
    });
  }
}

// Rows of `x` over their root mean square into `unit`; `store(d, unit, r, i)` does what follows with each vector.
template <typename T, typename Store>
HWY_INLINE void RmsNormRows(const float* x, float epsilon, int64_t rows, int64_t width, T* unit, float* inverse,
                            const Store& store) {
  for (int64_t r = 0; r < rows; ++r) {
    const float* row = x + r * width;
    const float sum = SumOver(width, [&](auto d, int64_t i) HWY_ATTR {
      const auto v = hn::LoadU(d, row + i);
      return hn::Mul(v, v);
    });
    const float factor = 1.0f / std::sqrt(sum / static_cast<float>(width) + epsilon);
    inverse[r] = factor;
    T* unit_row = unit + r * width;
    ForEach(width, [&](auto d, int64_t i) HWY_ATTR {
      const auto u = hn::Mul(hn::LoadU(d, row + i), hn::Set(d, factor));
      StoreF(u, d, unit_row + i);
      store(d, u, r, i);
    });
  }
}

template <typename T>
void RmsNormForwardT(const float* x, const T* weight, float epsilon, int64_t rows, int64_t width, T* unit, T* out,
                     float* inverse) {
  RmsNormRows(x, epsilon, rows, width, unit, inverse, [&](auto d, auto u, int64_t r, int64_t i) HWY_ATTR {
    StoreF(hn::Mul(u, LoadF(d, weight + i)), d, out + r * width + i);
  });
}

template <typename T>
void RmsNormAddForwardT(const float* x, const T* weight, float epsilon, int64_t rows, int64_t width, T* unit,
                        float* residual, float* inverse) {
  RmsNormRows(x, epsilon, rows, width, unit, inverse, [&](auto d, auto u, int64_t r, int64_t i) HWY_ATTR {
    float* const to = residual + r * width + i;
    hn::StoreU(hn::MulAdd(u, LoadF(d, weight + i), hn::LoadU(d, to)), d, to);
  });
}

template <typename T>
void RmsNormBackwardT(const T* d_out, const T* unit, const float* inverse, const T* weight, int64_t rows, int64_t width,
                      bool accumulate, float* d_x, T* d_x_low, float* d_weight) {
  for (int64_t r = 0; r < rows; ++r) {
    const T* d_row = d_out + r * width;
    const T* unit_row = unit + r * width;
    // With g = d_out · weight: d_x = inverse · (g - unit · mean(g · unit)).
    const float sum = SumOver(width, [&](auto d, int64_t i) HWY_ATTR {
      const auto product = hn::Mul(LoadF(d, d_row + i), LoadF(d, unit_row + i));
      hn::StoreU(hn::Add(hn::LoadU(d, d_weight + i), product), d, d_weight + i);
      return hn::Mul(product, LoadF(d, weight + i));
    });
    const float mean = sum / static_cast<float>(width);
    const float factor = inverse[r];
    float* x_row = d_x + r * width;
    T* low_row = d_x_low + r * width;
    ForEach(width, [&](auto d, int64_t i) HWY_ATTR {
      const auto g = hn::Mul(LoadF(d, d_row + i), LoadF(d, weight + i));
      auto value = hn::Mul(hn::NegMulAdd(LoadF(d, unit_row + i), hn::Set(d, mean), g), hn::Set(d, factor));
      if (accumulate) value = hn::Add(value, hn::LoadU(d, x_row + i));
      if (d_x != nullptr) hn::StoreU(value, d, x_row + i);
      StoreF(value, d, low_row + i);
    });
  }
}

// One head's row by its rotary position; `to` may be `from`.
template <typename T>
HWY_INLINE void RotateRow(const T* from, int64_t half, const float* cosine, const float* sine, float sign, T* to) {
  ForEach(half, [&](auto d, int64_t i) HWY_ATTR {
    const auto a = LoadF(d, from + i);
    const auto b = LoadF(d, from + half + i);
    const auto c = hn::LoadU(d, cosine + i);
    const auto s = hn::Mul(hn::LoadU(d, sine + i), hn::Set(d, sign));
    StoreF(hn::NegMulAdd(b, s, hn::Mul(a, c)), d, to + i);
    StoreF(hn::MulAdd(a, s, hn::Mul(b, c)), d, to + half + i);
  });
}

// Rows are read in order and heads written side by side: reading a head's rows, which lie a whole row apart, waits for
// memory at each of them.
template <bool kMerge, typename T>
void ExchangeHeads(const T* in, int64_t rows, int64_t heads, int64_t rotated, int64_t head_dim, int64_t position,
                   int64_t length, const float* cosine, const float* sine, T* out) {
  const int64_t half = head_dim / 2;
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t at = position + r;
    for (int64_t h = 0; h < heads; ++h) {
      const int64_t row = (r * heads + h) * head_dim;
      const int64_t head = (h * length + at) * head_dim;
      const T* from = in + (kMerge ? head : row);
      T* to = out + (kMerge ? row : head);
      if (h < rotated) {
        RotateRow(from, half, cosine + at * half, sine + at * half, kMerge ? -1.0f : 1.0f, to);
      } else {
        std::copy(from, from + head_dim, to);
      }
    }
  }
}
template <typename T>
void SplitHeadsT(const T* in, int64_t rows, int64_t heads, int64_t rotated, int64_t head_dim, int64_t position,
                 int64_t length, const float* cosine, const float* sine, T* out) {
  ExchangeHeads<false>(in, rows, heads, rotated, head_dim, position, length, cosine, sine, out);
}
template <typename T>
void MergeHeadsT(const T* in, int64_t rows, int64_t heads, int64_t rotated, int64_t head_dim, int64_t position,
                 int64_t length, const float* cosine, const float* sine, T* out) {
  ExchangeHeads<true>(in, rows, heads, rotated, head_dim, position, length, cosine, sine, out);
}

// 1 / (1 + e^-x). The division is a reciprocal estimate and one Newton step (within 2 units in the last place): a real
// one takes as long as all the rest, and made SwiGLU 1.6 times slower.
template <class D>
HWY_INLINE hn::Vec<D> Sigmoid(D d, hn::Vec<D> x) {
  const auto denominator = hn::Add(hn::Set(d, 1.0f), FastExp(d, hn::Neg(x)));
  const auto estimate = hn::ApproximateReciprocal(denominator);
  return hn::Mul(estimate, hn::NegMulAdd(denominator, estimate, hn::Set(d, 2.0f)));
}

template <typename T>
void SwiGluForwardT(const T* gate_up, int64_t rows, int64_t inner, T* out) {
  for (int64_t r = 0; r < rows; ++r) {
    const T* gate = gate_up + r * 2 * inner;
    const T* up = gate + inner;
    T* out_row = out + r * inner;
    ForEach(inner, [&](auto d, int64_t i) HWY_ATTR {
      const auto g = LoadF(d, gate + i);
      StoreF(hn::Mul(hn::Mul(g, Sigmoid(d, g)), LoadF(d, up + i)), d, out_row + i);
    });
  }
}

template <typename T>
void SwiGluBackwardT(T* d_out, T* gate_up, int64_t rows, int64_t inner) {
  for (int64_t r = 0; r < rows; ++r) {
    T* gate = gate_up + r * 2 * inner;
    T* up = gate + inner;
    T* d_row = d_out + r * inner;
    ForEach(inner, [&](auto d, int64_t i) HWY_ATTR {
      const auto g = LoadF(d, gate + i);
      const auto u = LoadF(d, up + i);
      const auto gradient = LoadF(d, d_row + i);
      const auto s = Sigmoid(d, g);
      const auto silu = hn::Mul(g, s);
      // silu'(g) = s · (1 + g · (1 - s)) = s + silu · (1 - s)
      const auto slope = hn::MulAdd(silu, hn::Sub(hn::Set(d, 1.0f), s), s);
      StoreF(hn::Mul(hn::Mul(gradient, u), slope), d, gate + i);
      StoreF(hn::Mul(gradient, silu), d, up + i);
      StoreF(hn::Mul(silu, u), d, d_row + i);
    });
  }
}

// GELU in its tanh form is x · sigmoid(2 · √(2/π) · (x + 0.044715 x³)).
template <class D>
HWY_INLINE hn::Vec<D> GeluSigmoid(D d, hn::Vec<D> x) {
  const auto inner = hn::MulAdd(hn::Mul(x, x), hn::Set(d, 0.07135481628f), hn::Set(d, 1.5957691216f));
  return Sigmoid(d, hn::Mul(x, inner));
}

template <typename T>
void GeGluForwardT(const T* gate_up, const float* factors, int64_t rows, int64_t inner, T* out) {
  for (int64_t r = 0; r < rows; ++r) {
    const T* gate = gate_up + r * 2 * inner;
    const T* up = gate + inner;
    T* out_row = out + r * inner;
    const float factor = factors == nullptr ? 1.0f : factors[r];
    ForEach(inner, [&](auto d, int64_t i) HWY_ATTR {
      const auto g = LoadF(d, gate + i);
      const auto gelu = hn::Mul(g, GeluSigmoid(d, g));
      StoreF(hn::Mul(hn::Mul(gelu, LoadF(d, up + i)), hn::Set(d, factor)), d, out_row + i);
    });
  }
}

template <typename T>
void GeGluBackwardT(T* d_out, T* gate_up, const float* factors, int64_t rows, int64_t inner, float* d_factors) {
  for (int64_t r = 0; r < rows; ++r) {
    T* gate = gate_up + r * 2 * inner;
    T* up = gate + inner;
    T* d_row = d_out + r * inner;
    const float factor = factors == nullptr ? 1.0f : factors[r];
    const float sum = SumOver(inner, [&](auto d, int64_t i) HWY_ATTR {
      const auto g = LoadF(d, gate + i);
      const auto u = LoadF(d, up + i);
      const auto s = GeluSigmoid(d, g);
      const auto gelu = hn::Mul(g, s);
      const auto out = hn::Mul(gelu, u);
      const auto d_scaled = LoadF(d, d_row + i);
      const auto gradient = hn::Mul(d_scaled, hn::Set(d, factor));
      // gelu'(g) = s + g · s · (1 - s) · (a + 3 b g²), with the argument of the sigmoid a g + b g³.
      const auto slope_inner = hn::MulAdd(hn::Mul(g, g), hn::Set(d, 3 * 0.07135481628f), hn::Set(d, 1.5957691216f));
      const auto slope = hn::MulAdd(hn::Mul(gelu, hn::Sub(hn::Set(d, 1.0f), s)), slope_inner, s);
      StoreF(hn::Mul(hn::Mul(gradient, u), slope), d, gate + i);
      StoreF(hn::Mul(gradient, gelu), d, up + i);
      StoreF(hn::Mul(out, hn::Set(d, factor)), d, d_row + i);
      return hn::Mul(d_scaled, out);
    });
    if (d_factors != nullptr) d_factors[r] = sum;
  }
}

template <typename T>
void SoftmaxCrossEntropyT(T* logits, const uint32_t* targets, int64_t rows, int64_t classes, float scale, float* losses,
                          float* scratch) {
  for (int64_t r = 0; r < rows; ++r) {
    T* row = logits + r * classes;
    const float target = ToFloat(row[targets[r]]);
    const float maximum = MaximumOver(classes, [&](auto d, int64_t i) HWY_ATTR { return LoadF(d, row + i); });
    const float sum = SumOver(classes, [&](auto d, int64_t i) HWY_ATTR {
      const auto e = FastExp(d, hn::Sub(LoadF(d, row + i), hn::Set(d, maximum)));
      hn::StoreU(e, d, scratch + i);
      return e;
    });
    losses[r] = std::log(sum) + maximum - target;
    if (scale == 0.0f) continue;
    const float factor = scale / sum;
    ForEach(classes, [&](auto d, int64_t i)
                         HWY_ATTR { StoreF(hn::Mul(hn::LoadU(d, scratch + i), hn::Set(d, factor)), d, row + i); });
    row[targets[r]] = FromFloat<T>(std::exp(target - maximum) * factor - scale);
  }
}

template <typename T>
void CappedCrossEntropyT(T* logits, const uint32_t* targets, int64_t rows, int64_t classes, float multiplier, float cap,
                         float scale, float* losses, float* scratch) {
  float* capped = scratch + classes;
  const float inner = cap > 0 ? multiplier / cap : multiplier;
  const float inverse_cap = cap > 0 ? 1 / cap : 0.0f;
  for (int64_t r = 0; r < rows; ++r) {
    T* row = logits + r * classes;
    ForEach(classes, [&](auto d, int64_t i) HWY_ATTR {
      const auto x = hn::Mul(LoadF(d, row + i), hn::Set(d, inner));
      hn::StoreU(cap > 0 ? hn::Mul(FastTanh(d, x), hn::Set(d, cap)) : x, d, capped + i);
    });
    const float target = capped[targets[r]];
    const float maximum = MaximumOver(classes, [&](auto d, int64_t i) HWY_ATTR { return hn::LoadU(d, capped + i); });
    const float sum = SumOver(classes, [&](auto d, int64_t i) HWY_ATTR {
      const auto e = FastExp(d, hn::Sub(hn::LoadU(d, capped + i), hn::Set(d, maximum)));
      hn::StoreU(e, d, scratch + i);
      return e;
    });
    losses[r] = std::log(sum) + maximum - target;
    if (scale == 0.0f) continue;
    const float factor = scale * multiplier / sum;
    ForEach(classes, [&](auto d, int64_t i) HWY_ATTR {
      const auto t = hn::Mul(hn::LoadU(d, capped + i), hn::Set(d, inverse_cap));
      const auto slope = hn::NegMulAdd(t, t, hn::Set(d, 1.0f));
      StoreF(hn::Mul(hn::Mul(hn::LoadU(d, scratch + i), hn::Set(d, factor)), slope), d, row + i);
    });
    const float t = target * inverse_cap;
    row[targets[r]] = FromFloat<T>((std::exp(target - maximum) * factor - scale * multiplier) * (1 - t * t));
  }
}

void SoftCapT(float* x, int64_t count, float multiplier, float cap) {
  const float inner = cap > 0 ? multiplier / cap : multiplier;
  ForEach(count, [&](auto d, int64_t i) HWY_ATTR {
    const auto v = hn::Mul(hn::LoadU(d, x + i), hn::Set(d, inner));
    hn::StoreU(cap > 0 ? hn::Mul(FastTanh(d, v), hn::Set(d, cap)) : v, d, x + i);
  });
}

// body(d, i, inside) for whole vectors at multiples of the vector's length that cover [begin, end);
// inside(value, otherwise) chooses between the two by lane at the edges and is `value` between them. Whole vectors,
// where a loop with a tail would spend most of its time in the tail: attention's rows are short.
template <class Body>
HWY_INLINE void ForWindow(int64_t begin, int64_t end, const Body& body) {
  const hn::ScalableTag<float> d;
  const hn::RebindToSigned<decltype(d)> i32;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto edge = [&](int64_t i) HWY_ATTR {
    const auto at = hn::Iota(i32, static_cast<int32_t>(i));
    const auto mask = hn::RebindMask(d, hn::And(hn::Gt(at, hn::Set(i32, static_cast<int32_t>(begin) - 1)),
                                                hn::Lt(at, hn::Set(i32, static_cast<int32_t>(end)))));
    body(d, i, [&](auto value, auto otherwise) HWY_ATTR { return hn::IfThenElse(mask, value, otherwise); });
  };
  int64_t i = begin / lanes * lanes;
  if (i < begin) {
    edge(i);
    i += lanes;
  }
  for (; i + lanes <= end; i += lanes) body(d, i, [](auto value, auto) HWY_ATTR { return value; });
  if (i < end) edge(i);
}

// Zeroes what ForWindow(begin, end) leaves of [0, columns).
template <typename T>
HWY_INLINE void ZeroOutside(int64_t begin, int64_t end, int64_t columns, T* row) {
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(hn::ScalableTag<float>()));
  std::fill(row, row + begin / lanes * lanes, T{});
  for (int64_t i = (end + lanes - 1) / lanes * lanes; i < columns; ++i) row[i] = T{};
}

template <bool kCap, typename T>
void AttentionSoftmaxForwardOf(const float* scores, const int32_t* first, const int32_t* last, int64_t rows,
                               int64_t columns, int64_t stride, float scale, float cap, T* out, float* inverse_sum,
                               float* log_sum) {
  const hn::ScalableTag<float> tag;
  const float inner = kCap ? scale / cap : scale;
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t begin = first[r];
    const int64_t end = last[r] + 1;
    const float* row = scores + r * stride;
    T* out_row = out + r * stride;
    auto maxima = hn::Set(tag, -3.0e38f);
    ForWindow(begin, end, [&](auto d, int64_t i, auto inside) HWY_ATTR {
      maxima = hn::Max(maxima, inside(hn::LoadU(d, row + i), maxima));
    });
    const float maximum = hn::GetLane(hn::MaxOfLanes(tag, maxima)) * inner;
    const float shift = kCap ? -cap * std::tanh(maximum) : -maximum;
    auto sums = hn::Zero(tag);
    ForWindow(begin, end, [&](auto d, int64_t i, auto inside) HWY_ATTR {
      auto shifted = hn::Set(d, shift);
      if constexpr (kCap) {
        const auto t = FastTanh(d, hn::Mul(hn::LoadU(d, row + i), hn::Set(d, inner)));
        shifted = hn::MulAdd(t, hn::Set(d, cap), shifted);
      } else {
        shifted = hn::MulAdd(hn::LoadU(d, row + i), hn::Set(d, inner), shifted);
      }
      const auto e = inside(FastExp(d, shifted), hn::Zero(d));
      sums = hn::Add(sums, e);
      StoreF(e, d, out_row + i);
    });
    ZeroOutside(begin, end, columns, out_row);
    const float sum = hn::GetLane(hn::SumOfLanes(tag, sums));
    inverse_sum[r] = 1.0f / sum;
    log_sum[r] = std::log(sum) - shift;
  }
}
template <typename T>
void AttentionSoftmaxForwardT(const float* scores, const int32_t* first, const int32_t* last, int64_t rows,
                              int64_t columns, int64_t stride, float scale, float cap, T* out, float* inverse_sum,
                              float* log_sum) {
  const auto run = cap > 0 ? AttentionSoftmaxForwardOf<true, T> : AttentionSoftmaxForwardOf<false, T>;
  run(scores, first, last, rows, columns, stride, scale, cap, out, inverse_sum, log_sum);
}

template <bool kCap, typename T>
void AttentionSoftmaxBackwardOf(const float* scores, const float* d_p, const int32_t* first, const int32_t* last,
                                const float* log_sum, const float* delta, int64_t rows, int64_t columns, int64_t stride,
                                float scale, float cap, T* p, T* d_s) {
  const float inner = kCap ? scale / cap : scale;
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t begin = first[r];
    const int64_t end = last[r] + 1;
    const int64_t at = r * stride;
    ForWindow(begin, end, [&](auto d, int64_t i, auto inside) HWY_ATTR {
      auto s = hn::Mul(hn::LoadU(d, scores + at + i), hn::Set(d, inner));
      auto slope = hn::Set(d, scale);
      if constexpr (kCap) {
        const auto t = FastTanh(d, s);
        slope = hn::Mul(slope, hn::NegMulAdd(t, t, hn::Set(d, 1.0f)));
        s = hn::Mul(t, hn::Set(d, cap));
      }
      const auto weight = inside(FastExp(d, hn::Sub(s, hn::Set(d, log_sum[r]))), hn::Zero(d));
      StoreF(weight, d, p + at + i);
      const auto difference = hn::Sub(hn::LoadU(d, d_p + at + i), hn::Set(d, delta[r]));
      StoreF(inside(hn::Mul(hn::Mul(weight, slope), difference), hn::Zero(d)), d, d_s + at + i);
    });
    ZeroOutside(begin, end, columns, p + at);
    ZeroOutside(begin, end, columns, d_s + at);
  }
}
template <typename T>
void AttentionSoftmaxBackwardT(const float* scores, const float* d_p, const int32_t* first, const int32_t* last,
                               const float* log_sum, const float* delta, int64_t rows, int64_t columns, int64_t stride,
                               float scale, float cap, T* p, T* d_s) {
  const auto run = cap > 0 ? AttentionSoftmaxBackwardOf<true, T> : AttentionSoftmaxBackwardOf<false, T>;
  run(scores, d_p, first, last, log_sum, delta, rows, columns, stride, scale, cap, p, d_s);
}

template <typename T>
void RowDotsT(const T* a, int64_t a_stride, const T* b, int64_t b_stride, int64_t rows, int64_t width, float* sums) {
  for (int64_t r = 0; r < rows; ++r) {
    const T* x = a + r * a_stride;
    const T* y = b + r * b_stride;
    sums[r] = SumOver(width, [&](auto d, int64_t i) HWY_ATTR { return hn::Mul(LoadF(d, x + i), LoadF(d, y + i)); });
  }
}

template <typename T>
void StoreRowsT(const float* x, const float* factors, int64_t rows, int64_t width, int64_t stride, T* out) {
  for (int64_t r = 0; r < rows; ++r) {
    const float factor = factors == nullptr ? 1.0f : factors[r];
    const float* from = x + r * width;
    T* to = out + r * stride;
    ForEach(width, [&](auto d, int64_t i)
                       HWY_ATTR { StoreF(hn::Mul(hn::LoadU(d, from + i), hn::Set(d, factor)), d, to + i); });
  }
}

double SumOfSquaresT(const float* x, int64_t count) {
  // f32 sums over short pieces, f64 over the pieces: as exact as f64 throughout for this purpose, at f32 speed.
  constexpr int64_t kPiece = 4096;
  double total = 0;
  for (int64_t begin = 0; begin < count; begin += kPiece) {
    const float* piece = x + begin;
    total += SumOver(count - begin < kPiece ? count - begin : kPiece, [&](auto d, int64_t i) HWY_ATTR {
      const auto v = hn::LoadU(d, piece + i);
      return hn::Mul(v, v);
    });
  }
  return total;
}

template <typename T>
void AdamWStepT(const AdamW& s, const float* gradient, int64_t count, float* weight, float* m, float* v, T* low) {
  const float keep = 1.0f - s.learning_rate * s.decay;
  const float step = s.learning_rate / s.correction1;
  const float root = 1.0f / std::sqrt(s.correction2);
  ForEach(count, [&](auto d, int64_t i) HWY_ATTR {
    const auto g = hn::Mul(hn::LoadU(d, gradient + i), hn::Set(d, s.gradient_factor));
    const auto m1 = hn::LoadU(d, m + i);
    const auto m2 = hn::MulAdd(hn::Sub(g, m1), hn::Set(d, 1.0f - s.beta1), m1);
    const auto v2 =
        hn::MulAdd(hn::Mul(g, g), hn::Set(d, 1.0f - s.beta2), hn::Mul(hn::LoadU(d, v + i), hn::Set(d, s.beta2)));
    const auto denominator = hn::MulAdd(hn::Sqrt(v2), hn::Set(d, root), hn::Set(d, s.epsilon));
    const auto w =
        hn::NegMulAdd(hn::Div(m2, denominator), hn::Set(d, step), hn::Mul(hn::LoadU(d, weight + i), hn::Set(d, keep)));
    hn::StoreU(m2, d, m + i);
    hn::StoreU(v2, d, v + i);
    hn::StoreU(w, d, weight + i);
    StoreF(w, d, low + i);
  });
}

template <typename T>
Elementwise<T> MakeTable() {
  return {
      .gather_rows = GatherRowsT<T>,
      .scatter_add_rows = ScatterAddRowsT,
      .rms_norm_forward = RmsNormForwardT<T>,
      .rms_norm_add_forward = RmsNormAddForwardT<T>,
      .rms_norm_backward = RmsNormBackwardT<T>,
      .split_heads = SplitHeadsT<T>,
      .merge_heads = MergeHeadsT<T>,
      .swi_glu_forward = SwiGluForwardT<T>,
      .swi_glu_backward = SwiGluBackwardT<T>,
      .ge_glu_forward = GeGluForwardT<T>,
      .ge_glu_backward = GeGluBackwardT<T>,
      .softmax_cross_entropy = SoftmaxCrossEntropyT<T>,
      .capped_cross_entropy = CappedCrossEntropyT<T>,
      .soft_cap = SoftCapT,
      .attention_softmax_forward = AttentionSoftmaxForwardT<T>,
      .attention_softmax_backward = AttentionSoftmaxBackwardT<T>,
      .row_dots = RowDotsT<T>,
      .store_rows = StoreRowsT<T>,
      .sum_of_squares = SumOfSquaresT,
      .adamw_step = AdamWStepT<T>,
  };
}

// Highway dispatches by the name of a function that is no template.
Elementwise<float> TableOfFloat() { return MakeTable<float>(); }
Elementwise<Bf16> TableOfBf16() { return MakeTable<Bf16>(); }

}  // namespace HWY_NAMESPACE
}  // namespace rhodes
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rhodes {

HWY_EXPORT(TableOfFloat);
HWY_EXPORT(TableOfBf16);

template <>
const Elementwise<float>& FastElementwise<float>() {
  static const Elementwise<float> table = HWY_DYNAMIC_DISPATCH(TableOfFloat)();
  return table;
}
template <>
const Elementwise<Bf16>& FastElementwise<Bf16>() {
  static const Elementwise<Bf16> table = HWY_DYNAMIC_DISPATCH(TableOfBf16)();
  return table;
}

}  // namespace rhodes
#endif  // HWY_ONCE
