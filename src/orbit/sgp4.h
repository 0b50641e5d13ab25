// SGP4 and SDP4: where a satellite is, from its mean elements.
//
// Hoots and Roehrich, "Spacetrack Report No. 3" (1980), with the corrections of Vallado, Crawford, Hujsak and Kelso,
// "Revisiting Spacetrack Report #3", AIAA 2006-6753: constants WGS-72, "improved" mode.
#ifndef RHODES_ORBIT_SGP4_H_
#define RHODES_ORBIT_SGP4_H_

#include <array>
#include <cstdint>
#include <memory>

#include "orbit/elements.h"

namespace rhodes {

// Kilometres and kilometres a second, in the frame TEME of date.
struct OrbitState {
  std::array<double, 3> position{};
  std::array<double, 3> velocity{};
};

// Why there is no state. The numbers are those that other implementations of the reference give.
enum class OrbitError : uint8_t {
  kNone = 0,
  kEccentricity = 1,           // mean eccentricity not in [-0.001, 1), or mean elements that are no numbers
  kMeanMotion = 2,             // mean motion not above 0
  kPerturbedEccentricity = 3,  // with the moon's and the sun's periodic terms: not in [0, 1]
  kSemiLatusRectum = 4,        // below 0
  kDecayed = 6,                // within the earth
  kTooFar = 7                  // more than 100 years from the epoch: no element set says anything of then
};

// The terms of near-earth SGP4 that do not change with time. Angles in radians, times in minutes, lengths in earth
// radii.
struct NearEarthTerms {
  double mean_motion = 0;  // Brouwer's
  double axis = 0;         // semi-major, at the epoch
  double eccentricity = 0, inclination = 0, node = 0, perigee = 0, anomaly = 0, drag = 0;
  double anomaly_rate = 0, perigee_rate = 0, node_rate = 0, node_square = 0;
  double c1 = 0, c4 = 0, c5 = 0, d2 = 0, d3 = 0, d4 = 0, t2 = 0, t3 = 0, t4 = 0, t5 = 0;
  double eta = 0, omega_term = 0, anomaly_term = 0, anomaly_cube = 0, sine_anomaly = 0;
  double long_period_argument = 0;                                                           // "aycof"
  double long_period_longitude = 0;                                                          // "xlcof"
  double three_cosine_square_1 = 0, one_minus_cosine_square = 0, seven_cosine_square_1 = 0;  // of the inclination
  double cosine_inclination = 0, sine_inclination = 0;
  bool simple = false;  // perigee below 220 km, or deep space: the high powers of time are left out
};

struct DeepSpaceTerms;  // of orbits of 225 minutes and more: the moon, the sun, resonance

// A satellite made ready. Immutable; thread-safe; copies share the deep-space terms.
class Satellite {
 public:
  // Any elements are taken; those that make no orbit give an error at every propagation.
  explicit Satellite(const MeanElements& elements);

  // The state at `time` (microseconds since 1970, UTC), or `minutes` after the epoch.
  OrbitError At(int64_t time, OrbitState& state) const;
  OrbitError After(double minutes, OrbitState& state) const;

  int64_t epoch() const { return epoch_; }
  bool deep_space() const { return deep_ != nullptr; }
  const NearEarthTerms& terms() const { return terms_; }
  // Of the mean orbit at the epoch, in kilometres from the earth's centre.
  double perigee_km() const;
  double apogee_km() const;

 private:
  int64_t epoch_ = 0;
  NearEarthTerms terms_;
  std::shared_ptr<const DeepSpaceTerms> deep_;
};

namespace wgs72 {
inline constexpr double kMu = 398600.8;           // km^3/s^2
inline constexpr double kEarthRadius = 6378.135;  // km
inline constexpr double kJ2 = 0.001082616;
inline constexpr double kJ3 = -0.00000253881;
inline constexpr double kJ4 = -0.00000165597;
inline constexpr double kXke = 0.07436691613317342;  // 60 / sqrt(kEarthRadius^3 / kMu): earth radii^1.5 a minute
}  // namespace wgs72

// Greenwich mean sidereal time (IAU 1982) in radians, [0, 2 pi), of a time in microseconds since 1970 (UT1, for which
// UTC stands: up to 0.9 s, 0.4 km at the equator).
double SiderealTime(int64_t time);

}  // namespace rhodes

#endif  // RHODES_ORBIT_SGP4_H_
