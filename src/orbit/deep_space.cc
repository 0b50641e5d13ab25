#include "orbit/deep_space.h"

#include <cmath>
#include <numbers>

#include "orbit/sgp4.h"

namespace rhodes {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr double kTurn = 2 * kPi;

// Of the sun and the moon: eccentricities and mean motions (radians a minute).
constexpr double kSunEccentricity = 0.01675;
constexpr double kMoonEccentricity = 0.05490;
constexpr double kSunMotion = 1.19459e-5;
constexpr double kMoonMotion = 1.5835218e-4;
constexpr double kEarthRotation = 4.37526908801129966e-3;  // radians a minute

double Square(double x) { return x * x; }
double Cube(double x) { return x * x * x; }

// A perturbing body's direction and strength.
struct Body {
  double cosine_g, sine_g, cosine_i, sine_i, cosine_h, sine_h;  // perigee, inclination, node (less the satellite's)
  double strength, eccentricity, motion;
};

// The sums over a body that both the secular and the periodic terms are made of; names as in the report.
struct Sums {
  double s1, s2, s3, s4, s5, s6, s7;
  double z1, z2, z3, z11, z12, z13, z21, z22, z23, z31, z32, z33;
};

Sums SumsOf(const Body& body, const DeepSpaceElements& e) {
  const double cosine_i = std::cos(e.inclination), sine_i = std::sin(e.inclination);
  const double cosine_w = std::cos(e.perigee), sine_w = std::sin(e.perigee);
  const double e2 = Square(e.eccentricity);
  const double b2 = 1 - e2;
  const double root = std::sqrt(b2);
  const double a1 = body.cosine_g * body.cosine_h + body.sine_g * body.cosine_i * body.sine_h;
  const double a3 = -body.sine_g * body.cosine_h + body.cosine_g * body.cosine_i * body.sine_h;
  const double a7 = -body.cosine_g * body.sine_h + body.sine_g * body.cosine_i * body.cosine_h;
  const double a8 = body.sine_g * body.sine_i;
  const double a9 = body.sine_g * body.sine_h + body.cosine_g * body.cosine_i * body.cosine_h;
  const double a10 = body.cosine_g * body.sine_i;
  const double a2 = cosine_i * a7 + sine_i * a8;
  const double a4 = cosine_i * a9 + sine_i * a10;
  const double a5 = -sine_i * a7 + cosine_i * a8;
  const double a6 = -sine_i * a9 + cosine_i * a10;
  const double x1 = a1 * cosine_w + a2 * sine_w;
  const double x2 = a3 * cosine_w + a4 * sine_w;
  const double x3 = -a1 * sine_w + a2 * cosine_w;
  const double x4 = -a3 * sine_w + a4 * cosine_w;
  const double x5 = a5 * sine_w, x6 = a6 * sine_w, x7 = a5 * cosine_w, x8 = a6 * cosine_w;
  Sums s{};
  s.z31 = 12 * x1 * x1 - 3 * x3 * x3;
  s.z32 = 24 * x1 * x2 - 6 * x3 * x4;
  s.z33 = 12 * x2 * x2 - 3 * x4 * x4;
  s.z1 = 2 * (3 * (a1 * a1 + a2 * a2) + s.z31 * e2) + b2 * s.z31;
  s.z2 = 2 * (6 * (a1 * a3 + a2 * a4) + s.z32 * e2) + b2 * s.z32;
  s.z3 = 2 * (3 * (a3 * a3 + a4 * a4) + s.z33 * e2) + b2 * s.z33;
  s.z11 = -6 * a1 * a5 + e2 * (-24 * x1 * x7 - 6 * x3 * x5);
  s.z12 = -6 * (a1 * a6 + a3 * a5) + e2 * (-24 * (x2 * x7 + x1 * x8) - 6 * (x3 * x6 + x4 * x5));
  s.z13 = -6 * a3 * a6 + e2 * (-24 * x2 * x8 - 6 * x4 * x6);
  s.z21 = 6 * a2 * a5 + e2 * (24 * x1 * x5 - 6 * x3 * x7);
  s.z22 = 6 * (a4 * a5 + a2 * a6) + e2 * (24 * (x2 * x5 + x1 * x6) - 6 * (x4 * x7 + x3 * x8));
  s.z23 = 6 * a4 * a6 + e2 * (24 * x2 * x6 - 6 * x4 * x8);
  s.s3 = body.strength / e.mean_motion;
  s.s2 = -0.5 * s.s3 / root;
  s.s4 = s.s3 * root;
  s.s1 = -15 * e.eccentricity * s.s4;
  s.s5 = x1 * x3 + x2 * x4;
  s.s6 = x2 * x3 + x1 * x4;
  s.s7 = x2 * x4 - x1 * x3;
  return s;
}

PeriodicTerms PeriodicOf(const Sums& s, double e2, double body_eccentricity, double phase) {
  PeriodicTerms p;
  p.eccentricity[0] = 2 * s.s1 * s.s6;
  p.eccentricity[1] = 2 * s.s1 * s.s7;
  p.inclination[0] = 2 * s.s2 * s.z12;
  p.inclination[1] = 2 * s.s2 * (s.z13 - s.z11);
  p.anomaly[0] = -2 * s.s3 * s.z2;
  p.anomaly[1] = -2 * s.s3 * (s.z3 - s.z1);
  p.anomaly[2] = -2 * s.s3 * (-21 - 9 * e2) * body_eccentricity;
  p.perigee[0] = 2 * s.s4 * s.z32;
  p.perigee[1] = 2 * s.s4 * (s.z33 - s.z31);
  p.perigee[2] = -18 * s.s4 * body_eccentricity;
  p.node[0] = -2 * s.s2 * s.z22;
  p.node[1] = -2 * s.s2 * (s.z23 - s.z21);
  p.phase = phase;
  return p;
}

void AddSecular(const Sums& s, const Body& body, const DeepSpaceElements& e, DeepSpaceTerms& terms) {
  const double e2 = Square(e.eccentricity);
  const double sine = std::sin(e.inclination), cosine = std::cos(e.inclination);
  terms.eccentricity_rate += s.s1 * body.motion * s.s5;
  terms.inclination_rate += s.s2 * body.motion * (s.z11 + s.z13);
  terms.anomaly_rate += -body.motion * s.s3 * (s.z1 + s.z3 - 14 - 6 * e2);
  // Within three degrees of the equator's plane the node is not defined well enough.
  constexpr double kFlat = 5.2359877e-2;
  const bool flat = e.inclination < kFlat || e.inclination > kPi - kFlat;
  double node = flat ? 0 : -body.motion * s.s2 * (s.z21 + s.z23);
  if (sine != 0) node /= sine;
  terms.node_rate += node;
  terms.perigee_rate += s.s4 * body.motion * (s.z31 + s.z33 - 6) - cosine * node;
}

// The functions of eccentricity of the resonance of half a day, fitted in pieces (the report's G).
struct HalfDayEccentricity {
  double g201, g211, g310, g322, g410, g422, g520, g521, g532, g533;
};
HalfDayEccentricity HalfDayFunctions(double e) {
  const double e2 = e * e, e3 = e2 * e;
  const auto cubic = [&](double a, double b, double c, double d) { return a + b * e + c * e2 + d * e3; };
  HalfDayEccentricity g{};
  g.g201 = -0.306 - (e - 0.64) * 0.440;
  if (e <= 0.65) {
    g.g211 = cubic(3.616, -13.2470, 16.2900, 0);
    g.g310 = cubic(-19.302, 117.3900, -228.4190, 156.5910);
    g.g322 = cubic(-18.9068, 109.7927, -214.6334, 146.5816);
    g.g410 = cubic(-41.122, 242.6940, -471.0940, 313.9530);
    g.g422 = cubic(-146.407, 841.8800, -1629.014, 1083.4350);
    g.g520 = cubic(-532.114, 3017.977, -5740.032, 3708.2760);
  } else {
    g.g211 = cubic(-72.099, 331.819, -508.738, 266.724);
    g.g310 = cubic(-346.844, 1582.851, -2415.925, 1246.113);
    g.g322 = cubic(-342.585, 1554.908, -2366.899, 1215.972);
    g.g410 = cubic(-1052.797, 4758.686, -7193.992, 3651.957);
    g.g422 = cubic(-3581.690, 16178.110, -24462.770, 12422.520);
    g.g520 = e > 0.715 ? cubic(-5149.66, 29936.92, -54087.36, 31324.56) : cubic(1464.74, -4664.75, 3763.64, 0);
  }
  if (e < 0.7) {
    g.g533 = cubic(-919.22770, 4988.6100, -9064.7700, 5542.21);
    g.g521 = cubic(-822.71072, 4568.6173, -8491.4146, 5337.524);
    g.g532 = cubic(-853.66600, 4690.2500, -8624.7700, 5341.4);
  } else {
    g.g533 = cubic(-37995.780, 161616.52, -229838.20, 109377.94);
    g.g521 = cubic(-51752.104, 218913.95, -309468.16, 146349.42);
    g.g532 = cubic(-40023.880, 170470.89, -242699.48, 115605.82);
  }
  return g;
}

void SetHalfDay(const DeepSpaceElements& e, double inverse_axis, DeepSpaceTerms& terms) {
  constexpr double kRoot22 = 1.7891679e-6, kRoot32 = 3.7393792e-7, kRoot44 = 7.3636953e-9, kRoot52 = 1.1428639e-7,
                   kRoot54 = 2.1765803e-9;
  const HalfDayEccentricity g = HalfDayFunctions(e.eccentricity);
  const double c = std::cos(e.inclination), s = std::sin(e.inclination);
  const double c2 = c * c, s2 = s * s;
  const double f220 = 0.75 * (1 + 2 * c + c2);
  const double f221 = 1.5 * s2;
  const double f321 = 1.875 * s * (1 - 2 * c - 3 * c2);
  const double f322 = -1.875 * s * (1 + 2 * c - 3 * c2);
  const double f441 = 35 * s2 * f220;
  const double f442 = 39.3750 * s2 * s2;
  const double f522 = 9.84375 * s * (s2 * (1 - 2 * c - 5 * c2) + 0.33333333 * (-2 + 4 * c + 6 * c2));
  const double f523 = s * (4.92187512 * s2 * (-2 - 4 * c + 10 * c2) + 6.56250012 * (1 + 2 * c - 3 * c2));
  const double f542 = 29.53125 * s * (2 - 8 * c + c2 * (-12 + 8 * c + 10 * c2));
  const double f543 = 29.53125 * s * (-2 - 8 * c + c2 * (12 + 8 * c - 10 * c2));
  double factor = 3 * Square(e.mean_motion) * Square(inverse_axis);
  double* d = terms.half_day;
  d[0] = factor * kRoot22 * f220 * g.g201;
  d[1] = factor * kRoot22 * f221 * g.g211;
  factor *= inverse_axis;
  d[2] = factor * kRoot32 * f321 * g.g310;
  d[3] = factor * kRoot32 * f322 * g.g322;
  factor *= inverse_axis;
  d[4] = 2 * factor * kRoot44 * f441 * g.g410;
  d[5] = 2 * factor * kRoot44 * f442 * g.g422;
  factor *= inverse_axis;
  d[6] = factor * kRoot52 * f522 * g.g520;
  d[7] = factor * kRoot52 * f523 * g.g532;
  d[8] = 2 * factor * kRoot54 * f542 * g.g521;
  d[9] = 2 * factor * kRoot54 * f543 * g.g533;
}

void SetDay(const DeepSpaceElements& e, double inverse_axis, DeepSpaceTerms& terms) {
  constexpr double kQ22 = 1.7891679e-6, kQ31 = 2.1460748e-6, kQ33 = 2.2123015e-7;
  const double e2 = Square(e.eccentricity);
  const double c = std::cos(e.inclination), s = std::sin(e.inclination);
  const double g200 = 1 + e2 * (-2.5 + 0.8125 * e2);
  const double g310 = 1 + 2 * e2;
  const double g300 = 1 + e2 * (-6 + 6.60937 * e2);
  const double f220 = 0.75 * Square(1 + c);
  const double f311 = 0.9375 * s * s * (1 + 3 * c) - 0.75 * (1 + c);
  const double f330 = 1.875 * Cube(1 + c);
  const double factor = 3 * Square(e.mean_motion) * Square(inverse_axis);
  terms.day[0] = factor * f311 * g310 * kQ31 * inverse_axis;
  terms.day[1] = 2 * factor * f220 * g200 * kQ22;
  terms.day[2] = 3 * factor * f330 * g300 * kQ33 * inverse_axis;
}

// Rates of the resonant mean motion, and the rate of that rate less the longitude's.
struct ResonantRates {
  double first = 0, second = 0;
};
ResonantRates RatesOf(const DeepSpaceTerms& terms, double longitude, double minutes) {
  ResonantRates rates;
  const auto add = [&](double amplitude, double angle, double multiple) {
    rates.first += amplitude * std::sin(angle);
    rates.second += multiple * amplitude * std::cos(angle);
  };
  if (terms.resonance == DeepSpaceTerms::Resonance::kDay) {
    add(terms.day[0], longitude - 0.13130908, 1);
    add(terms.day[1], 2 * (longitude - 2.8843198), 2);
    add(terms.day[2], 3 * (longitude - 0.37448087), 3);
    return rates;
  }
  constexpr double kG22 = 5.7686396, kG32 = 0.95240898, kG44 = 1.8014998, kG52 = 1.0508330, kG54 = 4.4108898;
  const double w = terms.perigee + terms.perigee_secular * minutes;
  const double* d = terms.half_day;
  add(d[0], 2 * w + longitude - kG22, 1);
  add(d[1], longitude - kG22, 1);
  add(d[2], w + longitude - kG32, 1);
  add(d[3], -w + longitude - kG32, 1);
  add(d[4], 2 * w + 2 * longitude - kG44, 2);
  add(d[5], 2 * longitude - kG44, 2);
  add(d[6], w + longitude - kG52, 1);
  add(d[7], -w + longitude - kG52, 1);
  add(d[8], w + 2 * longitude - kG54, 2);
  add(d[9], -w + 2 * longitude - kG54, 2);
  return rates;
}

struct Periodics {
  double eccentricity = 0, inclination = 0, anomaly = 0, perigee = 0, node = 0;
};
void AddPeriodic(const PeriodicTerms& p, double motion, double eccentricity, double minutes, Periodics& sum) {
  const double mean = p.phase + motion * minutes;
  const double anomaly = mean + 2 * eccentricity * std::sin(mean);
  const double sine = std::sin(anomaly);
  const double f2 = 0.5 * sine * sine - 0.25;
  const double f3 = -0.5 * sine * std::cos(anomaly);
  sum.eccentricity += p.eccentricity[0] * f2 + p.eccentricity[1] * f3;
  sum.inclination += p.inclination[0] * f2 + p.inclination[1] * f3;
  sum.anomaly += p.anomaly[0] * f2 + p.anomaly[1] * f3 + p.anomaly[2] * sine;
  sum.perigee += p.perigee[0] * f2 + p.perigee[1] * f3 + p.perigee[2] * sine;
  sum.node += p.node[0] * f2 + p.node[1] * f3;
}

}  // namespace

DeepSpaceTerms MakeDeepSpaceTerms(const DeepSpaceElements& e, double days_1950, double sidereal_epoch,
                                  double anomaly_rate, double perigee_rate, double node_rate) {
  DeepSpaceTerms terms;
  terms.sidereal_epoch = sidereal_epoch;
  terms.perigee = e.perigee;
  terms.perigee_secular = perigee_rate;
  terms.mean_motion = e.mean_motion;
  const double day = days_1950 + 18261.5;  // since 1899-12-31T12:00
  const double cosine_node = std::cos(e.node), sine_node = std::sin(e.node);
  const Body sun{0.1945905, -0.98088458,  0.91744867,       0.39785416, cosine_node,
                 sine_node, 2.9864797e-6, kSunEccentricity, kSunMotion};
  // The moon's orbit, whose node goes round in 18.6 years.
  const double moon_node = std::fmod(4.5236020 - 9.2422029e-4 * day, kTurn);
  const double sine_moon = std::sin(moon_node), cosine_moon = std::cos(moon_node);
  const double cosine_i = 0.91375164 - 0.03568096 * cosine_moon;
  const double sine_i = std::sqrt(1 - cosine_i * cosine_i);
  const double sine_h = 0.089683511 * sine_moon / sine_i;
  const double cosine_h = std::sqrt(1 - sine_h * sine_h);
  const double moon_perigee = 5.8351514 + 0.0019443680 * day;
  const double x = 0.39785416 * sine_moon / sine_i;
  const double y = cosine_h * cosine_moon + 0.91744867 * sine_h * sine_moon;
  const double angle = moon_perigee + std::atan2(x, y) - moon_node;
  const Body moon{std::cos(angle),
                  std::sin(angle),
                  cosine_i,
                  sine_i,
                  cosine_h * cosine_node + sine_h * sine_node,
                  sine_node * cosine_h - cosine_node * sine_h,
                  4.7968065e-7,
                  kMoonEccentricity,
                  kMoonMotion};
  const double e2 = Square(e.eccentricity);
  const Sums sun_sums = SumsOf(sun, e);
  const Sums moon_sums = SumsOf(moon, e);
  terms.sun = PeriodicOf(sun_sums, e2, kSunEccentricity, std::fmod(6.2565837 + 0.017201977 * day, kTurn));
  terms.moon =
      PeriodicOf(moon_sums, e2, kMoonEccentricity, std::fmod(4.7199672 + 0.22997150 * day - moon_perigee, kTurn));
  AddSecular(sun_sums, sun, e, terms);
  AddSecular(moon_sums, moon, e, terms);

  const double inverse_axis = std::pow(e.mean_motion / wgs72::kXke, 2.0 / 3);
  const double theta = sidereal_epoch;
  if (e.mean_motion >= 8.26e-3 && e.mean_motion <= 9.24e-3 && e.eccentricity >= 0.5) {
    terms.resonance = DeepSpaceTerms::Resonance::kHalfDay;
    SetHalfDay(e, inverse_axis, terms);
    terms.start_longitude = std::fmod(e.anomaly + 2 * e.node - 2 * theta, kTurn);
    terms.longitude_rate =
        anomaly_rate + terms.anomaly_rate + 2 * (node_rate + terms.node_rate - kEarthRotation) - e.mean_motion;
  } else if (e.mean_motion < 0.0052359877 && e.mean_motion > 0.0034906585) {
    terms.resonance = DeepSpaceTerms::Resonance::kDay;
    SetDay(e, inverse_axis, terms);
    terms.start_longitude = std::fmod(e.anomaly + e.node + e.perigee - theta, kTurn);
    terms.longitude_rate = anomaly_rate + perigee_rate + node_rate - kEarthRotation + terms.anomaly_rate +
                           terms.perigee_rate + terms.node_rate - e.mean_motion;
  }
  return terms;
}

void ApplySecular(const DeepSpaceTerms& terms, double minutes, DeepSpaceElements& e) {
  e.eccentricity += terms.eccentricity_rate * minutes;
  e.inclination += terms.inclination_rate * minutes;
  e.perigee += terms.perigee_rate * minutes;
  e.node += terms.node_rate * minutes;
  e.anomaly += terms.anomaly_rate * minutes;
  if (terms.resonance == DeepSpaceTerms::Resonance::kNone) return;
  // From the epoch in steps of half a day (Euler-Maclaurin of second order), so that the result depends on the time
  // alone; the reference goes on from its last call where it can.
  constexpr double kStep = 720;
  const double step = minutes < 0 ? -kStep : kStep;
  double longitude = terms.start_longitude;
  double motion = terms.mean_motion;
  double at = 0;
  ResonantRates rates = RatesOf(terms, longitude, at);
  double longitude_rate = motion + terms.longitude_rate;
  while (std::abs(minutes - at) >= kStep) {
    const double second = rates.second * longitude_rate;
    longitude += longitude_rate * step + rates.first * kStep * kStep / 2;
    motion += rates.first * step + second * kStep * kStep / 2;
    at += step;
    rates = RatesOf(terms, longitude, at);
    longitude_rate = motion + terms.longitude_rate;
  }
  const double rest = minutes - at;
  e.mean_motion = motion + rates.first * rest + rates.second * longitude_rate * rest * rest * 0.5;
  const double resonant = longitude + longitude_rate * rest + rates.first * rest * rest * 0.5;
  const double theta = std::fmod(terms.sidereal_epoch + minutes * kEarthRotation, kTurn);
  e.anomaly = terms.resonance == DeepSpaceTerms::Resonance::kHalfDay ? resonant - 2 * e.node + 2 * theta
                                                                     : resonant - e.node - e.perigee + theta;
}

void ApplyPeriodic(const DeepSpaceTerms& terms, double minutes, DeepSpaceElements& e) {
  Periodics sum;
  AddPeriodic(terms.sun, kSunMotion, kSunEccentricity, minutes, sum);
  AddPeriodic(terms.moon, kMoonMotion, kMoonEccentricity, minutes, sum);
  e.inclination += sum.inclination;
  e.eccentricity += sum.eccentricity;
  const double sine = std::sin(e.inclination), cosine = std::cos(e.inclination);
  constexpr double kLyddane = 0.2;  // radians; below it the node's periodic terms would be divided by too little
  if (e.inclination >= kLyddane) {
    const double node = sum.node / sine;
    e.perigee += sum.perigee - cosine * node;
    e.node += node;
    e.anomaly += sum.anomaly;
    return;
  }
  const double sine_node = std::sin(e.node), cosine_node = std::cos(e.node);
  const double alpha = sine * sine_node + sum.node * cosine_node + sum.inclination * cosine * sine_node;
  const double beta = sine * cosine_node - sum.node * sine_node + sum.inclination * cosine * cosine_node;
  const double before = std::fmod(e.node, kTurn);
  const double longitude =
      e.anomaly + e.perigee + cosine * before + sum.anomaly + sum.perigee - sum.inclination * before * sine;
  e.node = std::atan2(alpha, beta);
  if (std::abs(before - e.node) > kPi) e.node += e.node < before ? kTurn : -kTurn;
  e.anomaly += sum.anomaly;
  e.perigee = longitude - e.anomaly - cosine * e.node;
}

}  // namespace rhodes
