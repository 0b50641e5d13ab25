#include "orbit/propagate.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "orbit/propagate.cc"
#include <hwy/foreach_target.h>
// After foreach_target.h:
#include <hwy/highway.h>

#include "orbit/sincos-inl.h"

// What a propagation reads, in the order of the packed terms. Read once, whatever the targets.
#ifndef RHODES_ORBIT_PACKED_TERMS_
#define RHODES_ORBIT_PACKED_TERMS_
namespace rhodes {
enum PackedTerm : size_t {
  kMinutes,
  kMeanMotion,
  kAxis,
  kEccentricity,
  kInclinationSine,
  kInclinationCosine,
  kNode,
  kPerigee,
  kAnomaly,
  kAnomalyRate,
  kPerigeeRate,
  kNodeRate,
  kNodeSquare,
  kC1,
  kDragC4,
  kDragC5,
  kD2,
  kD3,
  kD4,
  kT2,
  kT3,
  kT4,
  kT5,
  kEta,
  kOmegaTerm,
  kAnomalyTerm,
  kAnomalyCube,
  kSineAnomaly,
  kLongPeriodArgument,
  kLongPeriodLongitude,
  kThreeCosineSquare1,
  kOneMinusCosineSquare,
  kSevenCosineSquare1,
  kPackedTerms
};
constexpr size_t kResults = 7;  // x y z vx vy vz error
constexpr size_t kPadding = 8;  // rows are a multiple of the longest vector's lanes
}  // namespace rhodes
#endif

HWY_BEFORE_NAMESPACE();
namespace rhodes {
namespace HWY_NAMESPACE {

// Kepler's equation by Newton's steps, as SolveKepler() of the scalar code takes them; lanes that are done take steps
// of nothing. Only steps that are large pay for new sines and cosines.
template <class D, class V = hn::Vec<D>>
HWY_INLINE void SolveKeplerMany(D d, V u, V axn, V ayn, V& sine, V& cosine) {
  V angle = u;
  SinCos(d, angle, sine, cosine);
  for (int i = 0; i < 10; ++i) {
    const V numerator = hn::Sub(hn::MulAdd(axn, sine, hn::NegMulAdd(ayn, cosine, u)), angle);
    const V denominator = hn::NegMulAdd(sine, ayn, hn::NegMulAdd(cosine, axn, hn::Set(d, 1.0)));
    const V step = hn::Clamp(hn::Div(numerator, denominator), hn::Set(d, -0.95), hn::Set(d, 0.95));
    angle = hn::Add(angle, step);
    const V size = hn::Abs(step);
    if (hn::AllTrue(d, hn::Le(size, hn::Set(d, 0.02)))) {
      TurnBy(d, step, sine, cosine);
      if (hn::AllTrue(d, hn::Lt(size, hn::Set(d, 1e-12)))) return;
    } else {
      SinCos(d, angle, sine, cosine);
    }
  }
}

// Satellite::After() and ToState() for near-earth terms; `term(k)` is the vector of one packed term.
template <class D, class Term, class V = hn::Vec<D>>
HWY_INLINE void PropagateVector(D d, const Term& term, V (&out)[kResults]) {
  const V one = hn::Set(d, 1.0);
  const V half = hn::Set(d, 0.5);
  const V t = term(kMinutes);
  const V t2 = hn::Mul(t, t);
  const V t3 = hn::Mul(t2, t);
  const V t4 = hn::Mul(t2, t2);
  V anomaly = hn::MulAdd(term(kAnomalyRate), t, term(kAnomaly));
  V perigee = hn::MulAdd(term(kPerigeeRate), t, term(kPerigee));
  const V node = hn::MulAdd(term(kNodeSquare), t2, hn::MulAdd(term(kNodeRate), t, term(kNode)));
  V sine, cosine;
  SinCos(d, anomaly, sine, cosine);
  const V swing = hn::MulAdd(term(kEta), cosine, one);
  const V cube = hn::Mul(hn::Mul(swing, swing), swing);
  const V shift = hn::MulAdd(term(kAnomalyTerm), hn::Sub(cube, term(kAnomalyCube)), hn::Mul(term(kOmegaTerm), t));
  anomaly = hn::Add(anomaly, shift);
  perigee = hn::Sub(perigee, shift);
  SinCos(d, anomaly, sine, cosine);
  V factor = hn::NegMulAdd(term(kC1), t, one);
  factor = hn::NegMulAdd(term(kD2), t2, factor);
  factor = hn::NegMulAdd(term(kD3), t3, factor);
  factor = hn::NegMulAdd(term(kD4), t4, factor);
  const V loss = hn::MulAdd(term(kDragC5), hn::Sub(sine, term(kSineAnomaly)), hn::Mul(term(kDragC4), t));
  V gain = hn::MulAdd(term(kT5), t, term(kT4));
  gain = hn::MulAdd(gain, t4, hn::MulAdd(term(kT3), t3, hn::Mul(term(kT2), t2)));
  const V axis = hn::Mul(term(kAxis), hn::Mul(factor, factor));
  V eccentricity = hn::Sub(term(kEccentricity), loss);
  auto bad_eccentricity = hn::Or(hn::Not(hn::Lt(eccentricity, one)), hn::Lt(eccentricity, hn::Set(d, -0.001)));
  eccentricity = hn::Max(eccentricity, hn::Set(d, 1e-6));
  anomaly = hn::MulAdd(term(kMeanMotion), gain, anomaly);

  SinCos(d, perigee, sine, cosine);
  const V axn = hn::Mul(eccentricity, cosine);
  const V inverse = hn::Div(one, hn::Mul(axis, hn::NegMulAdd(eccentricity, eccentricity, one)));
  const V ayn = hn::MulAdd(inverse, term(kLongPeriodArgument), hn::Mul(eccentricity, sine));
  V u = hn::MulAdd(hn::Mul(inverse, term(kLongPeriodLongitude)), axn, hn::Add(anomaly, perigee));
  u = hn::NegMulAdd(hn::Round(hn::Mul(u, hn::Set(d, 0.15915494309189533577))), hn::Set(d, 6.28318530717958647692), u);
  V sine_e, cosine_e;
  SolveKeplerMany(d, u, axn, ayn, sine_e, cosine_e);
  const V e_cosine = hn::MulAdd(axn, cosine_e, hn::Mul(ayn, sine_e));
  const V e_sine = hn::MulSub(axn, sine_e, hn::Mul(ayn, cosine_e));
  const V one_minus_e2 = hn::NegMulAdd(axn, axn, hn::NegMulAdd(ayn, ayn, one));
  const V p = hn::Mul(axis, one_minus_e2);
  const auto bad_rectum = hn::Not(hn::Ge(p, hn::Zero(d)));
  const V r = hn::Mul(axis, hn::Sub(one, e_cosine));
  const V inverse_r = hn::Div(one, r);
  const V root_axis = hn::Sqrt(axis);
  const V r_rate = hn::Mul(hn::Mul(root_axis, e_sine), inverse_r);
  const V beta = hn::Sqrt(one_minus_e2);
  const V rv_rate = hn::Mul(hn::Mul(root_axis, beta), inverse_r);
  const V part = hn::Div(e_sine, hn::Add(one, beta));
  const V scale = hn::Mul(axis, inverse_r);
  V sine_u = hn::Mul(scale, hn::NegMulAdd(axn, part, hn::Sub(sine_e, ayn)));
  V cosine_u = hn::Mul(scale, hn::MulAdd(ayn, part, hn::Sub(cosine_e, axn)));
  const V sine_2u = hn::Mul(hn::Add(cosine_u, cosine_u), sine_u);
  const V cosine_2u = hn::NegMulAdd(hn::Add(sine_u, sine_u), sine_u, one);
  const V temp1 = hn::Div(hn::Set(d, 0.5 * wgs72::kJ2), p);
  const V temp2 = hn::Div(temp1, p);
  const V con41 = term(kThreeCosineSquare1);
  const V x1mth2 = term(kOneMinusCosineSquare);

  const V radius = hn::MulAdd(r, hn::NegMulAdd(hn::Mul(hn::Set(d, 1.5), temp2), hn::Mul(beta, con41), one),
                              hn::Mul(hn::Mul(half, temp1), hn::Mul(x1mth2, cosine_2u)));
  // The short-period terms are small angles: what they turn needs no new sines.
  TurnBy(d, hn::Mul(hn::Mul(hn::Set(d, -0.25), temp2), hn::Mul(term(kSevenCosineSquare1), sine_2u)), sine_u, cosine_u);
  V sine_node, cosine_node;
  SinCos(d, node, sine_node, cosine_node);
  V sine_i = term(kInclinationSine), cosine_i = term(kInclinationCosine);
  const V short_node = hn::Mul(hn::Mul(hn::Set(d, 1.5), temp2), hn::Mul(cosine_i, sine_2u));
  const V short_inclination = hn::Mul(hn::Mul(hn::Set(d, 1.5), temp2), hn::Mul(hn::Mul(cosine_i, sine_i), cosine_2u));
  TurnBy(d, short_node, sine_node, cosine_node);
  TurnBy(d, short_inclination, sine_i, cosine_i);
  const V n_temp1_xke = hn::Div(temp1, hn::Mul(axis, root_axis));  // n * temp1 / xke
  const V radial = hn::NegMulAdd(n_temp1_xke, hn::Mul(x1mth2, sine_2u), r_rate);
  const V across = hn::MulAdd(n_temp1_xke, hn::MulAdd(x1mth2, cosine_2u, hn::Mul(hn::Set(d, 1.5), con41)), rv_rate);

  const V km = hn::Mul(radius, hn::Set(d, wgs72::kEarthRadius));
  const V km_per_second = hn::Set(d, wgs72::kEarthRadius * wgs72::kXke / 60);
  const V m[3] = {hn::Neg(hn::Mul(sine_node, cosine_i)), hn::Mul(cosine_node, cosine_i), sine_i};
  const V k[3] = {cosine_node, sine_node, hn::Zero(d)};
  for (size_t c = 0; c < 3; ++c) {
    const V along = hn::MulAdd(m[c], sine_u, hn::Mul(k[c], cosine_u));
    const V cross = hn::MulSub(m[c], cosine_u, hn::Mul(k[c], sine_u));
    out[c] = hn::Mul(km, along);
    out[c + 3] = hn::Mul(km_per_second, hn::MulAdd(radial, along, hn::Mul(across, cross)));
  }
  // The first test that fails, as in the scalar code, names the error.
  V error = hn::IfThenElse(hn::Ge(radius, one), hn::Zero(d), hn::Set(d, 6.0));
  error = hn::IfThenElse(bad_rectum, hn::Set(d, 4.0), error);
  error = hn::IfThenElse(bad_eccentricity, hn::Set(d, 1.0), error);
  error = hn::IfThenElse(hn::Gt(term(kMeanMotion), hn::Zero(d)), error, hn::Set(d, 2.0));
  out[6] = hn::IfThenElse(hn::Le(hn::Abs(t), hn::Set(d, 100 * 365.25 * 1440)), error, hn::Set(d, 7.0));
}

void PropagateRows(const double* terms, size_t padded, double* results) {
  const hn::CappedTag<double, kPadding> d;
  for (size_t i = 0; i < padded; i += hn::Lanes(d)) {
    hn::Vec<decltype(d)> out[kResults];
    PropagateVector(
        d, [&](size_t k) HWY_ATTR { return hn::LoadU(d, terms + k * padded + i); }, out);
    for (size_t c = 0; c < kResults; ++c) hn::StoreU(out[c], d, results + c * padded + i);
  }
}

// `minutes` and the results hold kPadding entries.
void PropagateOne(const double* terms, const double* minutes, double* results) {
  const hn::CappedTag<double, kPadding> d;
  for (size_t i = 0; i < kPadding; i += hn::Lanes(d)) {
    hn::Vec<decltype(d)> out[kResults];
    PropagateVector(
        d, [&](size_t k) HWY_ATTR { return k == kMinutes ? hn::LoadU(d, minutes + i) : hn::Set(d, terms[k]); }, out);
    for (size_t c = 0; c < kResults; ++c) hn::StoreU(out[c], d, results + c * kPadding + i);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace rhodes
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rhodes {
namespace {

HWY_EXPORT(PropagateRows);
HWY_EXPORT(PropagateOne);

void Pack(const NearEarthTerms& t, double minutes, double* out) {
  // Near the epoch of a low orbit the high powers of time are left out: then their factors are nothing.
  const double full = t.simple ? 0 : 1;
  const double values[kPackedTerms] = {minutes,
                                       t.mean_motion,
                                       t.axis,
                                       t.eccentricity,
                                       t.sine_inclination,
                                       t.cosine_inclination,
                                       t.node,
                                       t.perigee,
                                       t.anomaly,
                                       t.anomaly_rate,
                                       t.perigee_rate,
                                       t.node_rate,
                                       t.node_square,
                                       t.c1,
                                       t.drag * t.c4,
                                       full * t.drag * t.c5,
                                       t.d2,
                                       t.d3,
                                       t.d4,
                                       t.t2,
                                       t.t3,
                                       t.t4,
                                       t.t5,
                                       t.eta,
                                       full * t.omega_term,
                                       full * t.anomaly_term,
                                       t.anomaly_cube,
                                       t.sine_anomaly,
                                       t.long_period_argument,
                                       t.long_period_longitude,
                                       t.three_cosine_square_1,
                                       t.one_minus_cosine_square,
                                       t.seven_cosine_square_1};
  std::copy(std::begin(values), std::end(values), out);
}

OrbitState StateAt(const double* results, size_t stride, size_t i) {
  OrbitState state;
  for (size_t c = 0; c < 3; ++c) {
    state.position[c] = results[c * stride + i];
    state.velocity[c] = results[(c + 3) * stride + i];
  }
  return state;
}

}  // namespace

void NearEarthBatch::Clear() {
  size_ = 0;
  rows_.clear();
}

void NearEarthBatch::Add(const Satellite& satellite, int64_t time) {
  Add(satellite, static_cast<double>(time - satellite.epoch()) / 60e6);
}

void NearEarthBatch::Add(const Satellite& satellite, double minutes) {
  rows_.resize((size_ + 1) * kPackedTerms);
  Pack(satellite.terms(), minutes, &rows_[size_ * kPackedTerms]);
  ++size_;
}

void NearEarthBatch::Propagate() {
  // Turned in blocks of a vector's lanes, which stay in the first cache.
  padded_ = (size_ + kPadding - 1) / kPadding * kPadding;
  results_.resize(padded_ * kResults);
  double terms[kPackedTerms * kPadding];
  double block[kResults * kPadding];
  for (size_t begin = 0; begin < size_; begin += kPadding) {
    const size_t count = std::min(kPadding, size_ - begin);
    for (size_t row = 0; row < kPadding; ++row) {
      const double* from = &rows_[(begin + std::min(row, count - 1)) * kPackedTerms];
      for (size_t k = 0; k < kPackedTerms; ++k) terms[k * kPadding + row] = from[k];
    }
    HWY_DYNAMIC_DISPATCH(PropagateRows)(terms, kPadding, block);
    for (size_t c = 0; c < kResults; ++c) {
      std::copy(block + c * kPadding, block + (c + 1) * kPadding, &results_[c * padded_ + begin]);
    }
  }
}

OrbitError NearEarthBatch::error(size_t i) const {
  return static_cast<OrbitError>(static_cast<int>(results_[6 * padded_ + i]));
}

OrbitState NearEarthBatch::state(size_t i) const { return StateAt(results_.data(), padded_, i); }

void PropagateMany(const Satellite& satellite, std::span<const double> minutes, std::span<OrbitState> out,
                   std::span<OrbitError> errors) {
  if (satellite.deep_space()) {
    for (size_t i = 0; i < minutes.size(); ++i) errors[i] = satellite.After(minutes[i], out[i]);
    return;
  }
  double terms[kPackedTerms];
  Pack(satellite.terms(), 0, terms);
  double times[kPadding];
  double block[kResults * kPadding];
  for (size_t begin = 0; begin < minutes.size(); begin += kPadding) {
    const size_t count = std::min(kPadding, minutes.size() - begin);
    for (size_t i = 0; i < kPadding; ++i) times[i] = minutes[begin + std::min(i, count - 1)];
    HWY_DYNAMIC_DISPATCH(PropagateOne)(terms, times, block);
    for (size_t i = 0; i < count; ++i) {
      out[begin + i] = StateAt(block, kPadding, i);
      errors[begin + i] = static_cast<OrbitError>(static_cast<int>(block[6 * kPadding + i]));
    }
  }
}

}  // namespace rhodes
#endif  // HWY_ONCE
