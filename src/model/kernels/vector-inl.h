// Helpers of vectorised kernels: loads and stores of float and Bf16 as f32 vectors, loops with a scalar tail, exp.
// Included once for each target (Highway), hence the guard that toggles.
#if defined(RHODES_MODEL_KERNELS_VECTOR_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef RHODES_MODEL_KERNELS_VECTOR_INL_H_
#undef RHODES_MODEL_KERNELS_VECTOR_INL_H_
#else
#define RHODES_MODEL_KERNELS_VECTOR_INL_H_
#endif

#include <hwy/highway.h>

#include <cstdint>

#include "model/kernels/bfloat16.h"

HWY_BEFORE_NAMESPACE();
namespace rhodes {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <class D>
HWY_INLINE hn::Vec<D> LoadF(D d, const float* from) {
  return hn::LoadU(d, from);
}
template <class D>
HWY_INLINE hn::Vec<D> LoadF(D d, const Bf16* from) {
  const hn::Rebind<uint16_t, D> d16;
  const hn::RebindToUnsigned<D> d32;
  const auto bits = hn::LoadU(d16, reinterpret_cast<const uint16_t*>(from));
  return hn::BitCast(d, hn::ShiftLeft<16>(hn::PromoteTo(d32, bits)));
}

template <class D>
HWY_INLINE void StoreF(hn::Vec<D> v, D d, float* to) {
  hn::StoreU(v, d, to);
}
// Rounds to nearest even, as Bf16::From. A NaN stays one: quiet NaNs are 0x7fc00000, which rounding does not carry out
// of the exponent; the signalling ones that it could are not produced by arithmetic.
template <class D>
HWY_INLINE void StoreF(hn::Vec<D> v, D /*d*/, Bf16* to) {
  const hn::Rebind<uint16_t, D> d16;
  const hn::RebindToUnsigned<D> d32;
  const hn::RebindToSigned<D> i32;
  const auto bits = hn::BitCast(d32, v);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(d32, 1u));
  const auto rounded = hn::Add(hn::Add(bits, hn::Set(d32, 0x7fffu)), odd);
  const auto upper = hn::BitCast(i32, hn::ShiftRight<16>(rounded));
  hn::StoreU(hn::DemoteTo(d16, upper), d16, reinterpret_cast<uint16_t*>(to));
}

// body(d, i) for whole vectors, then for single elements.
template <class Body>
HWY_INLINE void ForEach(int64_t count, const Body& body) {
  const hn::ScalableTag<float> d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) body(d, i);
  const hn::CappedTag<float, 1> one;
  for (; i < count; ++i) body(one, i);
}

// Sum of body(d, i) over all elements, in four running sums: the order depends on the vector width and on nothing else.
template <class Body>
HWY_INLINE float SumOver(int64_t count, const Body& body) {
  const hn::ScalableTag<float> d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  auto a = hn::Zero(d), b = hn::Zero(d), c = hn::Zero(d), e = hn::Zero(d);
  int64_t i = 0;
  for (; i + 4 * lanes <= count; i += 4 * lanes) {
    a = hn::Add(a, body(d, i));
    b = hn::Add(b, body(d, i + lanes));
    c = hn::Add(c, body(d, i + 2 * lanes));
    e = hn::Add(e, body(d, i + 3 * lanes));
  }
  for (; i + lanes <= count; i += lanes) a = hn::Add(a, body(d, i));
  float sum = hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(a, b), hn::Add(c, e))));
  const hn::CappedTag<float, 1> one;
  for (; i < count; ++i) sum += hn::GetLane(body(one, i));
  return sum;
}

template <class Body>
HWY_INLINE float MaximumOver(int64_t count, const Body& body) {
  const hn::ScalableTag<float> d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  auto a = hn::Set(d, -3.0e38f), b = a;
  int64_t i = 0;
  for (; i + 2 * lanes <= count; i += 2 * lanes) {
    a = hn::Max(a, body(d, i));
    b = hn::Max(b, body(d, i + lanes));
  }
  for (; i + lanes <= count; i += lanes) a = hn::Max(a, body(d, i));
  float maximum = hn::GetLane(hn::MaxOfLanes(d, hn::Max(a, b)));
  const hn::CappedTag<float, 1> one;
  for (; i < count; ++i) {
    const float value = hn::GetLane(body(one, i));
    maximum = value > maximum ? value : maximum;
  }
  return maximum;
}

// e^x to within 2 units in the last place on [-87.3, 88.7]; below that 0 or a tiny positive number, above it a huge
// one. Range reduction by ln 2, then a polynomial of degree 6 (Cephes' expf): half the work of Highway's own Exp.
template <class D>
HWY_INLINE hn::Vec<D> FastExp(D d, hn::Vec<D> x) {
  const hn::RebindToSigned<D> i32;
  const auto clamped = hn::Min(hn::Max(x, hn::Set(d, -87.3f)), hn::Set(d, 88.7f));
  const auto n = hn::Round(hn::Mul(clamped, hn::Set(d, 1.44269504088896341f)));
  auto r = hn::NegMulAdd(n, hn::Set(d, 0.693359375f), clamped);
  r = hn::NegMulAdd(n, hn::Set(d, -2.12194440e-4f), r);
  auto p = hn::MulAdd(r, hn::Set(d, 1.9875691500e-4f), hn::Set(d, 1.3981999507e-3f));
  p = hn::MulAdd(p, r, hn::Set(d, 8.3334519073e-3f));
  p = hn::MulAdd(p, r, hn::Set(d, 4.1665795894e-2f));
  p = hn::MulAdd(p, r, hn::Set(d, 1.6666665459e-1f));
  p = hn::MulAdd(p, r, hn::Set(d, 5.0000001201e-1f));
  p = hn::Add(hn::MulAdd(hn::Mul(r, r), p, r), hn::Set(d, 1.0f));
  // p is in [0.7, 1.42] and n in [-126, 128]: adding n to the exponent field cannot wrap below; a NaN comes through p.
  const auto exponent = hn::ShiftLeft<23>(hn::ConvertTo(i32, n));
  return hn::BitCast(d, hn::Add(hn::BitCast(i32, p), exponent));
}

// tanh x to within a few units in the last place: an odd polynomial below 0.625 (Cephes' tanhf), beyond it
// 1 - 2 / (e^2x + 1), with the sign put back.
template <class D>
HWY_INLINE hn::Vec<D> FastTanh(D d, hn::Vec<D> x) {
  const auto size = hn::Abs(x);
  const auto z = hn::Mul(x, x);
  auto p = hn::MulAdd(z, hn::Set(d, -5.70498872745e-3f), hn::Set(d, 2.06390887954e-2f));
  p = hn::MulAdd(p, z, hn::Set(d, -5.37397155531e-2f));
  p = hn::MulAdd(p, z, hn::Set(d, 1.33314422036e-1f));
  p = hn::MulAdd(p, z, hn::Set(d, -3.33332819422e-1f));
  const auto small = hn::MulAdd(hn::Mul(p, z), x, x);
  const auto one = hn::Set(d, 1.0f);
  const auto e = FastExp(d, hn::Min(hn::Add(size, size), hn::Set(d, 40.0f)));
  const auto large = hn::CopySign(hn::Sub(one, hn::Div(hn::Set(d, 2.0f), hn::Add(e, one))), x);
  return hn::IfThenElse(hn::Lt(size, hn::Set(d, 0.625f)), small, large);
}

}  // namespace HWY_NAMESPACE
}  // namespace rhodes
HWY_AFTER_NAMESPACE();

#endif  // toggling guard
