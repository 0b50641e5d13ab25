#include "orbit/geometry.h"

#include <cmath>
#include <numbers>

namespace rhodes {
namespace {

constexpr double kDegree = std::numbers::pi / 180;
// WGS84 (NGA.STND.0036).
constexpr double kSemiMajor = 6378.137;
constexpr double kFlattening = 1 / 298.257223563;
constexpr double kSquareEccentricity = kFlattening * (2 - kFlattening);

double Dot(const Vector3& a, const Vector3& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }
Vector3 Less(const Vector3& a, const Vector3& b) { return {a[0] - b[0], a[1] - b[1], a[2] - b[2]}; }

}  // namespace

Vector3 ToEcef(const Geodetic& place) {
  const double latitude = place.latitude * kDegree, longitude = place.longitude * kDegree;
  const double sine = std::sin(latitude);
  const double height = place.altitude / 1000;
  const double normal = kSemiMajor / std::sqrt(1 - kSquareEccentricity * sine * sine);
  const double across = (normal + height) * std::cos(latitude);
  return {across * std::cos(longitude), across * std::sin(longitude),
          (normal * (1 - kSquareEccentricity) + height) * sine};
}

Geodetic ToGeodetic(const Vector3& ecef) {
  const double across = std::hypot(ecef[0], ecef[1]);
  Geodetic place;
  place.longitude = std::atan2(ecef[1], ecef[0]) / kDegree;
  // Bowring's parametric latitude, iterated: converges in three steps for anything above the core.
  double reduced = std::atan2(ecef[2], across * (1 - kFlattening));
  double latitude = 0;
  const double second = kSquareEccentricity / (1 - kSquareEccentricity);
  for (int i = 0; i < 5; ++i) {
    const double sine = std::sin(reduced), cosine = std::cos(reduced);
    latitude = std::atan2(ecef[2] + second * kSemiMajor * (1 - kFlattening) * sine * sine * sine,
                          across - kSquareEccentricity * kSemiMajor * cosine * cosine * cosine);
    reduced = std::atan2((1 - kFlattening) * std::sin(latitude), std::cos(latitude));
  }
  const double sine = std::sin(latitude), cosine = std::cos(latitude);
  const double normal = kSemiMajor / std::sqrt(1 - kSquareEccentricity * sine * sine);
  place.latitude = latitude / kDegree;
  // Without division by what vanishes at the poles.
  place.altitude = 1000 * (across * cosine + ecef[2] * sine - kSemiMajor * kSemiMajor / normal);
  return place;
}

Vector3 TemeToEcef(const Vector3& teme, double sidereal_time) {
  const double sine = std::sin(sidereal_time), cosine = std::cos(sidereal_time);
  return {cosine * teme[0] + sine * teme[1], -sine * teme[0] + cosine * teme[1], teme[2]};
}

Observer::Observer(const Geodetic& place) : ecef_(ToEcef(place)) {
  const double latitude = place.latitude * kDegree, longitude = place.longitude * kDegree;
  const double sl = std::sin(latitude), cl = std::cos(latitude);
  const double so = std::sin(longitude), co = std::cos(longitude);
  east_ = {-so, co, 0};
  north_ = {-sl * co, -sl * so, cl};
  up_ = {cl * co, cl * so, sl};
}

double Observer::SineElevation(const Vector3& ecef) const {
  const Vector3 to = Less(ecef, ecef_);
  return Dot(to, up_) / std::sqrt(Dot(to, to));
}

LookAngles Observer::LookAt(const Vector3& ecef) const {
  const Vector3 to = Less(ecef, ecef_);
  const double east = Dot(to, east_), north = Dot(to, north_), up = Dot(to, up_);
  LookAngles angles;
  angles.range = std::sqrt(Dot(to, to));
  angles.elevation = std::atan2(up, std::hypot(east, north)) / kDegree;
  angles.azimuth = std::atan2(east, north) / kDegree;
  if (angles.azimuth < 0) angles.azimuth += 360;
  return angles;
}

}  // namespace rhodes
