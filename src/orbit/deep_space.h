// What SDP4 adds for orbits of 225 minutes and more: the pull of the moon and the sun, and resonance with the earth's
// rotation at half a day and at a day. Internal to orbit/.
#ifndef RHODES_ORBIT_DEEP_SPACE_H_
#define RHODES_ORBIT_DEEP_SPACE_H_

#include <cstdint>

namespace rhodes {

// Amplitudes of the periodic terms of one body: by the second, third and (some) fourth harmonic of its anomaly.
struct PeriodicTerms {
  double eccentricity[2] = {};
  double inclination[2] = {};
  double anomaly[3] = {};
  double perigee[3] = {};
  double node[2] = {};
  double phase = 0;  // the body's mean anomaly at the epoch
};

struct DeepSpaceTerms {
  PeriodicTerms sun, moon;
  // Secular rates, a minute.
  double eccentricity_rate = 0, inclination_rate = 0, anomaly_rate = 0, perigee_rate = 0, node_rate = 0;
  enum class Resonance : uint8_t { kNone, kDay, kHalfDay } resonance = Resonance::kNone;
  double day[3] = {};          // del1, del2, del3
  double half_day[10] = {};    // d2201 d2211 d3210 d3222 d4410 d4422 d5220 d5232 d5421 d5433
  double start_longitude = 0;  // the resonant angle at the epoch
  double longitude_rate = 0;   // its rate less the mean motion's
  double sidereal_epoch = 0;
  double perigee = 0, perigee_secular = 0;  // at the epoch; its rate by the earth's flattening
  double mean_motion = 0;
};

// Mean elements in motion; radians, radians a minute.
struct DeepSpaceElements {
  double eccentricity, inclination, node, perigee, anomaly, mean_motion;
};

// `days_1950`: of the epoch since 1949-12-31 0h. `square`: eccentricity squared. The rates are those of the earth's
// flattening.
DeepSpaceTerms MakeDeepSpaceTerms(const DeepSpaceElements& elements, double days_1950, double sidereal_epoch,
                                  double anomaly_rate, double perigee_rate, double node_rate);

// Secular terms and resonance after `minutes`.
void ApplySecular(const DeepSpaceTerms& terms, double minutes, DeepSpaceElements& elements);
// Periodic terms after `minutes`. With low inclination node and perigee are turned by Lyddane's modification.
void ApplyPeriodic(const DeepSpaceTerms& terms, double minutes, DeepSpaceElements& elements);

}  // namespace rhodes

#endif  // RHODES_ORBIT_DEEP_SPACE_H_
