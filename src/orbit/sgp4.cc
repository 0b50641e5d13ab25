#include "orbit/sgp4.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "orbit/deep_space.h"

namespace rhodes {
namespace {

using wgs72::kEarthRadius;
using wgs72::kJ2;
using wgs72::kJ3;
using wgs72::kJ4;
using wgs72::kXke;

constexpr double kPi = std::numbers::pi;
constexpr double kTurn = 2 * kPi;
constexpr double kDegree = kPi / 180;
constexpr double kJ3OverJ2 = kJ3 / kJ2;
constexpr double kMicrosecondsPerMinute = 60e6;
constexpr double kDeepSpaceMinutes = 225;
constexpr double kFarthestMinutes = 100 * 365.25 * 1440;

double Square(double x) { return x * x; }
double Cube(double x) { return x * x * x; }

// Brouwer's mean motion from Kozai's, which is what element sets state. Radians a minute.
double BrouwerMeanMotion(double kozai, double eccentricity, double cosine_inclination) {
  const double one_minus = 1 - Square(eccentricity);
  const double flattening = 0.75 * kJ2 * (3 * Square(cosine_inclination) - 1) / (std::sqrt(one_minus) * one_minus);
  const double axis = std::pow(kXke / kozai, 2.0 / 3);
  double delta = flattening / Square(axis);
  const double adjusted = axis * (1 - Square(delta) - delta * (1.0 / 3 + 134 * Square(delta) / 81));
  delta = flattening / Square(adjusted);
  return kozai / (1 + delta);
}

// What the atmosphere's density is taken from: bounds of the layer, by the height of the perigee.
struct Layer {
  double s = 78 / kEarthRadius + 1;
  double q_minus_s_4 = Square(Square((120 - 78) / kEarthRadius));
};
Layer LayerAt(double perigee_km) {
  Layer layer;
  if (perigee_km >= 156) return layer;
  const double s_km = perigee_km < 98 ? 20 : perigee_km - 78;
  layer.q_minus_s_4 = Square(Square((120 - s_km) / kEarthRadius));
  layer.s = s_km / kEarthRadius + 1;
  return layer;
}

NearEarthTerms MakeTerms(const MeanElements& elements) {
  NearEarthTerms t;
  t.eccentricity = elements.eccentricity;
  t.inclination = elements.inclination * kDegree;
  t.node = elements.right_ascension * kDegree;
  t.perigee = elements.argument_of_perigee * kDegree;
  t.anomaly = elements.mean_anomaly * kDegree;
  t.drag = elements.drag;
  const double e = t.eccentricity;
  const double cosine = t.cosine_inclination = std::cos(t.inclination);
  const double sine = t.sine_inclination = std::sin(t.inclination);
  const double cosine2 = Square(cosine);
  const double cosine4 = Square(cosine2);
  const double one_minus = 1 - e * e;
  const double root = std::sqrt(one_minus);
  const double n = t.mean_motion = BrouwerMeanMotion(elements.mean_motion * kTurn / 1440, e, cosine);
  const double axis = t.axis = std::pow(kXke / n, 2.0 / 3);
  const double perigee_radius = axis * (1 - e);
  t.simple = perigee_radius < 220 / kEarthRadius + 1;
  const Layer layer = LayerAt((perigee_radius - 1) * kEarthRadius);

  t.three_cosine_square_1 = 3 * cosine2 - 1;
  t.one_minus_cosine_square = 1 - cosine2;
  t.seven_cosine_square_1 = 7 * cosine2 - 1;
  const double p2 = 1 / Square(axis * one_minus);
  const double xi = 1 / (axis - layer.s);
  const double eta = t.eta = axis * e * xi;
  const double eta2 = eta * eta;
  const double e_eta = e * eta;
  const double psi2 = std::abs(1 - eta2);
  const double coefficient = layer.q_minus_s_4 * Square(Square(xi));
  const double coefficient1 = coefficient / std::pow(psi2, 3.5);
  const double c2 = coefficient1 * n *
                    (axis * (1 + 1.5 * eta2 + e_eta * (4 + eta2)) +
                     0.375 * kJ2 * xi / psi2 * t.three_cosine_square_1 * (8 + 3 * eta2 * (8 + eta2)));
  t.c1 = t.drag * c2;
  const double c3 = e > 1e-4 ? -2 * coefficient * xi * kJ3OverJ2 * n * sine / e : 0;
  t.c4 = 2 * n * coefficient1 * axis * one_minus *
         (eta * (2 + 0.5 * eta2) + e * (0.5 + 2 * eta2) -
          kJ2 * xi / (axis * psi2) *
              (-3 * t.three_cosine_square_1 * (1 - 2 * e_eta + eta2 * (1.5 - 0.5 * e_eta)) +
               0.75 * t.one_minus_cosine_square * (2 * eta2 - e_eta * (1 + eta2)) * std::cos(2 * t.perigee)));
  t.c5 = 2 * coefficient1 * axis * one_minus * (1 + 2.75 * (eta2 + e_eta) + e_eta * eta2);

  const double temp1 = 1.5 * kJ2 * p2 * n;
  const double temp2 = 0.5 * temp1 * kJ2 * p2;
  const double temp3 = -0.46875 * kJ4 * p2 * p2 * n;
  t.anomaly_rate =
      n + 0.5 * temp1 * root * t.three_cosine_square_1 + 0.0625 * temp2 * root * (13 - 78 * cosine2 + 137 * cosine4);
  t.perigee_rate = -0.5 * temp1 * (1 - 5 * cosine2) + 0.0625 * temp2 * (7 - 114 * cosine2 + 395 * cosine4) +
                   temp3 * (3 - 36 * cosine2 + 49 * cosine4);
  const double node_first = -temp1 * cosine;
  t.node_rate = node_first + (0.5 * temp2 * (4 - 19 * cosine2) + 2 * temp3 * (3 - 7 * cosine2)) * cosine;
  t.omega_term = t.drag * c3 * std::cos(t.perigee);
  t.anomaly_term = e > 1e-4 ? -2.0 / 3 * coefficient * t.drag / e_eta : 0;
  t.node_square = 3.5 * one_minus * node_first * t.c1;
  t.t2 = 1.5 * t.c1;
  // At 180 degrees the divisor vanishes.
  const double divisor = std::abs(cosine + 1) > 1.5e-12 ? 1 + cosine : 1.5e-12;
  t.long_period_longitude = -0.25 * kJ3OverJ2 * sine * (3 + 5 * cosine) / divisor;
  t.long_period_argument = -0.5 * kJ3OverJ2 * sine;
  t.anomaly_cube = Cube(1 + eta * std::cos(t.anomaly));
  t.sine_anomaly = std::sin(t.anomaly);
  if (kTurn / n >= kDeepSpaceMinutes) t.simple = true;
  if (t.simple) return t;
  const double c1_2 = Square(t.c1);
  t.d2 = 4 * axis * xi * c1_2;
  const double third = t.d2 * xi * t.c1 / 3;
  t.d3 = (17 * axis + layer.s) * third;
  t.d4 = 0.5 * third * axis * xi * (221 * axis + 31 * layer.s) * t.c1;
  t.t3 = t.d2 + 2 * c1_2;
  t.t4 = 0.25 * (3 * t.d3 + t.c1 * (12 * t.d2 + 10 * c1_2));
  t.t5 = 0.2 * (3 * t.d4 + 12 * t.c1 * t.d3 + 6 * Square(t.d2) + 15 * c1_2 * (2 * t.d2 + c1_2));
  return t;
}

// Kepler's equation in the form with the long-period terms; steps are held below 0.95 as in the reference.
struct Eccentric {
  double sine = 0, cosine = 0;
};
Eccentric SolveKepler(double u, double axn, double ayn) {
  Eccentric result;
  double angle = u;
  double step = 1;
  for (int i = 0; i < 10 && std::abs(step) >= 1e-12; ++i) {
    result.sine = std::sin(angle);
    result.cosine = std::cos(angle);
    step = (u - ayn * result.cosine + axn * result.sine - angle) / (1 - result.cosine * axn - result.sine * ayn);
    if (std::abs(step) >= 0.95) step = step > 0 ? 0.95 : -0.95;
    angle += step;
  }
  return result;
}

// What depends on the inclination: fixed near the earth, in motion in deep space.
struct InclinationTerms {
  double cosine, sine, three_cosine_square_1, one_minus_cosine_square, seven_cosine_square_1;
  double long_period_argument, long_period_longitude;
};

OrbitError ToState(const DeepSpaceElements& mean, double axis, const InclinationTerms& i, OrbitState& state) {
  const double axn = mean.eccentricity * std::cos(mean.perigee);
  const double inverse = 1 / (axis * (1 - Square(mean.eccentricity)));
  const double ayn = mean.eccentricity * std::sin(mean.perigee) + inverse * i.long_period_argument;
  const double longitude = mean.anomaly + mean.perigee + mean.node + inverse * i.long_period_longitude * axn;
  const Eccentric eccentric = SolveKepler(std::fmod(longitude - mean.node, kTurn), axn, ayn);
  const double e_cosine = axn * eccentric.cosine + ayn * eccentric.sine;
  const double e_sine = axn * eccentric.sine - ayn * eccentric.cosine;
  const double e2 = axn * axn + ayn * ayn;
  const double p = axis * (1 - e2);
  if (!(p >= 0)) return OrbitError::kSemiLatusRectum;
  const double r = axis * (1 - e_cosine);
  const double r_rate = std::sqrt(axis) * e_sine / r;
  const double rv_rate = std::sqrt(p) / r;
  const double beta = std::sqrt(1 - e2);
  const double part = e_sine / (1 + beta);
  const double sine_u = axis / r * (eccentric.sine - ayn - axn * part);
  const double cosine_u = axis / r * (eccentric.cosine - axn + ayn * part);
  const double sine_2u = 2 * cosine_u * sine_u;
  const double cosine_2u = 1 - 2 * sine_u * sine_u;
  const double temp1 = 0.5 * kJ2 / p;
  const double temp2 = temp1 / p;

  const double radius =
      r * (1 - 1.5 * temp2 * beta * i.three_cosine_square_1) + 0.5 * temp1 * i.one_minus_cosine_square * cosine_2u;
  const double u = std::atan2(sine_u, cosine_u) - 0.25 * temp2 * i.seven_cosine_square_1 * sine_2u;
  const double node = mean.node + 1.5 * temp2 * i.cosine * sine_2u;
  const double inclination = mean.inclination + 1.5 * temp2 * i.cosine * i.sine * cosine_2u;
  const double n = kXke / std::pow(axis, 1.5);
  const double radial = r_rate - n * temp1 * i.one_minus_cosine_square * sine_2u / kXke;
  const double across =
      rv_rate + n * temp1 * (i.one_minus_cosine_square * cosine_2u + 1.5 * i.three_cosine_square_1) / kXke;

  const double su = std::sin(u), cu = std::cos(u), sn = std::sin(node), cn = std::cos(node);
  const double si = std::sin(inclination), ci = std::cos(inclination);
  const std::array<double, 3> m = {-sn * ci, cn * ci, si};
  const std::array<double, 3> k = {cn, sn, 0};
  const double km_per_second = kEarthRadius * kXke / 60;
  for (size_t c = 0; c < 3; ++c) {
    const double along = m[c] * su + k[c] * cu;
    const double cross = m[c] * cu - k[c] * su;
    state.position[c] = radius * kEarthRadius * along;
    state.velocity[c] = km_per_second * (radial * along + across * cross);
  }
  if (!(radius >= 1)) return OrbitError::kDecayed;
  return OrbitError::kNone;
}

}  // namespace

Satellite::Satellite(const MeanElements& elements) : epoch_(elements.epoch), terms_(MakeTerms(elements)) {
  const NearEarthTerms& t = terms_;
  if (!(kTurn / t.mean_motion >= kDeepSpaceMinutes) || !std::isfinite(t.mean_motion)) return;
  const double days_1950 = static_cast<double>(epoch_) / 86400e6 + 7306;  // 1949-12-31 is 7306 days before 1970-01-01
  deep_ = std::make_shared<const DeepSpaceTerms>(
      MakeDeepSpaceTerms({t.eccentricity, t.inclination, t.node, t.perigee, t.anomaly, t.mean_motion}, days_1950,
                         SiderealTime(epoch_), t.anomaly_rate, t.perigee_rate, t.node_rate));
}

double Satellite::perigee_km() const { return terms_.axis * (1 - terms_.eccentricity) * kEarthRadius; }
double Satellite::apogee_km() const { return terms_.axis * (1 + terms_.eccentricity) * kEarthRadius; }

OrbitError Satellite::At(int64_t time, OrbitState& state) const {
  return After(static_cast<double>(time - epoch_) / kMicrosecondsPerMinute, state);
}

OrbitError Satellite::After(double minutes, OrbitState& state) const {
  const NearEarthTerms& t = terms_;
  if (!(std::abs(minutes) <= kFarthestMinutes)) return OrbitError::kTooFar;
  const double t2 = minutes * minutes;
  double anomaly = t.anomaly + t.anomaly_rate * minutes;
  double perigee = t.perigee + t.perigee_rate * minutes;
  const double node = t.node + t.node_rate * minutes + t.node_square * t2;
  double axis_factor = 1 - t.c1 * minutes;
  double eccentricity_loss = t.drag * t.c4 * minutes;
  double longitude_gain = t.t2 * t2;
  if (!t.simple) {
    const double shift =
        t.omega_term * minutes + t.anomaly_term * (Cube(1 + t.eta * std::cos(anomaly)) - t.anomaly_cube);
    anomaly += shift;
    perigee -= shift;
    const double t3 = t2 * minutes;
    const double t4 = t3 * minutes;
    axis_factor -= t.d2 * t2 + t.d3 * t3 + t.d4 * t4;
    eccentricity_loss += t.drag * t.c5 * (std::sin(anomaly) - t.sine_anomaly);
    longitude_gain += t.t3 * t3 + t4 * (t.t4 + minutes * t.t5);
  }
  DeepSpaceElements mean{t.eccentricity, t.inclination, node, perigee, anomaly, t.mean_motion};
  if (deep_ != nullptr) ApplySecular(*deep_, minutes, mean);
  if (!(mean.mean_motion > 0)) return OrbitError::kMeanMotion;
  const double axis = (deep_ != nullptr ? std::pow(kXke / mean.mean_motion, 2.0 / 3) : t.axis) * Square(axis_factor);
  mean.eccentricity -= eccentricity_loss;
  if (!(mean.eccentricity < 1) || mean.eccentricity < -0.001) return OrbitError::kEccentricity;
  mean.eccentricity = std::max(mean.eccentricity, 1e-6);
  mean.anomaly += t.mean_motion * longitude_gain;
  const double longitude = std::fmod(mean.anomaly + mean.perigee + mean.node, kTurn);
  mean.node = std::fmod(mean.node, kTurn);
  mean.perigee = std::fmod(mean.perigee, kTurn);
  mean.anomaly = std::fmod(longitude - mean.perigee - mean.node, kTurn);

  InclinationTerms inclination{t.cosine_inclination,      t.sine_inclination,      t.three_cosine_square_1,
                               t.one_minus_cosine_square, t.seven_cosine_square_1, t.long_period_argument,
                               t.long_period_longitude};
  if (deep_ != nullptr) {
    ApplyPeriodic(*deep_, minutes, mean);
    if (mean.inclination < 0) {
      mean.inclination = -mean.inclination;
      mean.node += kPi;
      mean.perigee -= kPi;
    }
    if (!(mean.eccentricity >= 0 && mean.eccentricity <= 1)) return OrbitError::kPerturbedEccentricity;
    const double sine = std::sin(mean.inclination);
    const double cosine = std::cos(mean.inclination);
    const double divisor = std::abs(cosine + 1) > 1.5e-12 ? 1 + cosine : 1.5e-12;
    inclination = {cosine,
                   sine,
                   3 * cosine * cosine - 1,
                   1 - cosine * cosine,
                   7 * cosine * cosine - 1,
                   -0.5 * kJ3OverJ2 * sine,
                   -0.25 * kJ3OverJ2 * sine * (3 + 5 * cosine) / divisor};
  }
  return ToState(mean, axis, inclination, state);
}

double SiderealTime(int64_t time) {
  const double centuries = (static_cast<double>(time) / 86400e6 - 10957.5) / 36525;  // since 2000-01-01T12:00
  const double seconds = -6.2e-6 * Cube(centuries) + 0.093104 * Square(centuries) +
                         (876600.0 * 3600 + 8640184.812866) * centuries + 67310.54841;
  const double angle = std::fmod(seconds * kDegree / 240, kTurn);
  return angle < 0 ? angle + kTurn : angle;
}

}  // namespace rhodes
