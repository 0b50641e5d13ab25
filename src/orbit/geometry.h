// From the frame of an orbit to a place on the earth: rotation by sidereal time, geodetic coordinates, look angles.
#ifndef RHODES_ORBIT_GEOMETRY_H_
#define RHODES_ORBIT_GEOMETRY_H_

#include <array>
#include <cstdint>

#include "orbit/sgp4.h"

namespace rhodes {

using Vector3 = std::array<double, 3>;

// On the ellipsoid WGS84. Degrees; metres above the ellipsoid.
struct Geodetic {
  double latitude = 0;
  double longitude = 0;  // [-180, 180]
  double altitude = 0;
};

// Kilometres, turning with the earth (ECEF; polar motion, up to 15 m, is left out).
Vector3 ToEcef(const Geodetic& place);
Geodetic ToGeodetic(const Vector3& ecef);  // to 1e-9 degrees and 1e-4 m
// TEME of date to ECEF by the sidereal time of that moment.
Vector3 TemeToEcef(const Vector3& teme, double sidereal_time);

// How a place sees something. Degrees, from north over east; degrees above the horizon (no refraction); kilometres.
struct LookAngles {
  double azimuth = 0;
  double elevation = 0;
  double range = 0;
};

// A place made ready to look from.
class Observer {
 public:
  explicit Observer(const Geodetic& place);
  LookAngles LookAt(const Vector3& ecef) const;
  // The sine of the elevation alone.
  double SineElevation(const Vector3& ecef) const;
  const Vector3& ecef() const { return ecef_; }

 private:
  Vector3 ecef_, east_, north_, up_;
};

}  // namespace rhodes

#endif  // RHODES_ORBIT_GEOMETRY_H_
