// Sine and cosine of vectors of doubles. No include guard of the usual kind: it is read once for each target.
#if defined(RHODES_ORBIT_SINCOS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef RHODES_ORBIT_SINCOS_INL_H_
#undef RHODES_ORBIT_SINCOS_INL_H_
#else
#define RHODES_ORBIT_SINCOS_INL_H_
#endif

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace rhodes {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Both of an angle up to 1e6 radians, to 2 units in the last place of 1: reduction by pi/2 in three parts (Cody and
// Waite), then the minimax polynomials of Moshier's Cephes library on [-pi/4, pi/4]. Highway's own Sin() and Cos()
// reduce the angle twice: 1.6 times the time for the pair.
template <class D, class V = hn::Vec<D>>
HWY_INLINE void SinCos(D d, V angle, V& sine, V& cosine) {
  const V turns = hn::Round(hn::Mul(angle, hn::Set(d, 0.63661977236758134308)));
  V x = hn::NegMulAdd(turns, hn::Set(d, 1.57079625129699707031), angle);
  x = hn::NegMulAdd(turns, hn::Set(d, 7.54978941586159635335e-8), x);
  x = hn::NegMulAdd(turns, hn::Set(d, 5.39030285815811905290e-15), x);
  const V z = hn::Mul(x, x);
  V s = hn::Set(d, 1.58962301576546568060e-10);
  s = hn::MulAdd(s, z, hn::Set(d, -2.50507477628578072866e-8));
  s = hn::MulAdd(s, z, hn::Set(d, 2.75573136213857245213e-6));
  s = hn::MulAdd(s, z, hn::Set(d, -1.98412698295895385996e-4));
  s = hn::MulAdd(s, z, hn::Set(d, 8.33333333332211858878e-3));
  s = hn::MulAdd(s, z, hn::Set(d, -1.66666666666666307295e-1));
  s = hn::MulAdd(hn::Mul(s, z), x, x);
  V c = hn::Set(d, -1.13585365213876817300e-11);
  c = hn::MulAdd(c, z, hn::Set(d, 2.08757008419747316778e-9));
  c = hn::MulAdd(c, z, hn::Set(d, -2.75573141792967388112e-7));
  c = hn::MulAdd(c, z, hn::Set(d, 2.48015872888517045348e-5));
  c = hn::MulAdd(c, z, hn::Set(d, -1.38888888888730564116e-3));
  c = hn::MulAdd(c, z, hn::Set(d, 4.16666666666665929218e-2));
  c = hn::MulAdd(hn::Mul(c, z), z, hn::NegMulAdd(z, hn::Set(d, 0.5), hn::Set(d, 1.0)));
  // The quadrant, 0 to 3.
  const V quadrant = hn::NegMulAdd(hn::Floor(hn::Mul(turns, hn::Set(d, 0.25))), hn::Set(d, 4.0), turns);
  const auto odd = hn::Or(hn::Eq(quadrant, hn::Set(d, 1.0)), hn::Eq(quadrant, hn::Set(d, 3.0)));
  const auto sine_negative = hn::Ge(quadrant, hn::Set(d, 2.0));
  const auto cosine_negative = hn::Or(hn::Eq(quadrant, hn::Set(d, 1.0)), hn::Eq(quadrant, hn::Set(d, 2.0)));
  const V sine_size = hn::IfThenElse(odd, c, s);
  const V cosine_size = hn::IfThenElse(odd, s, c);
  sine = hn::IfThenElse(sine_negative, hn::Neg(sine_size), sine_size);
  cosine = hn::IfThenElse(cosine_negative, hn::Neg(cosine_size), cosine_size);
}

// Turns a pair by a small angle, |delta| <= 0.02: Taylor's terms to the seventh power (error below 1e-16).
template <class D, class V = hn::Vec<D>>
HWY_INLINE void TurnBy(D d, V delta, V& sine, V& cosine) {
  const V z = hn::Mul(delta, delta);
  V s = hn::MulAdd(z, hn::Set(d, -1.0 / 5040), hn::Set(d, 1.0 / 120));
  s = hn::MulAdd(s, z, hn::Set(d, -1.0 / 6));
  s = hn::MulAdd(hn::Mul(s, z), delta, delta);
  V c = hn::MulAdd(z, hn::Set(d, -1.0 / 720), hn::Set(d, 1.0 / 24));
  c = hn::MulAdd(c, z, hn::Set(d, -0.5));
  c = hn::MulAdd(c, z, hn::Set(d, 1.0));
  const V turned = hn::MulAdd(sine, c, hn::Mul(cosine, s));
  cosine = hn::MulSub(cosine, c, hn::Mul(sine, s));
  sine = turned;
}

}  // namespace HWY_NAMESPACE
}  // namespace rhodes
HWY_AFTER_NAMESPACE();

#endif  // RHODES_ORBIT_SINCOS_INL_H_
