#include "world/look.h"

#include <algorithm>
#include <cmath>

#include "world/clock.h"

namespace rhodes {
namespace {

constexpr double kDegree = 0.017453292519943295;
constexpr double kEarthRadius = 6378.137;  // km
constexpr double kEarthMu = 398600.4418;   // km3/s2
constexpr double kJ2 = 1.08262668e-3;

}  // namespace

double ElevationDegrees(const WorldElements& elements, WorldPoint place, int64_t time) {
  const double seconds = static_cast<double>(time - elements.epoch) / 1e6;
  const double motion = elements.motion * 2 * M_PI / 86400;
  const double axis = std::cbrt(kEarthMu / (motion * motion));
  const double inclination = elements.inclination * kDegree;
  const double factor = 1.5 * kJ2 * motion * (kEarthRadius / axis) * (kEarthRadius / axis);
  const double node = elements.node * kDegree - factor * std::cos(inclination) * seconds;
  const double argument = (elements.perigee + elements.anomaly) * kDegree + motion * seconds;
  const double x =
      axis * (std::cos(node) * std::cos(argument) - std::sin(node) * std::sin(argument) * std::cos(inclination));
  const double y =
      axis * (std::sin(node) * std::cos(argument) + std::cos(node) * std::sin(argument) * std::cos(inclination));
  const double z = axis * std::sin(argument) * std::sin(inclination);
  // The Earth's angle (Capitaine et al. 2000), enough for the place of the horizon.
  const double days = static_cast<double>(time) / 86400e6 - 10957.5;
  const double turn = 2 * M_PI * (0.7790572732640 + 1.00273781191135448 * days);
  const double east = place.longitude * kDegree + turn;
  const double north = place.latitude * kDegree;
  const double ux = std::cos(north) * std::cos(east);
  const double uy = std::cos(north) * std::sin(east);
  const double uz = std::sin(north);
  const double dx = x - kEarthRadius * ux;
  const double dy = y - kEarthRadius * uy;
  const double dz = z - kEarthRadius * uz;
  const double up = (dx * ux + dy * uy + dz * uz) / std::sqrt(dx * dx + dy * dy + dz * dz);
  return std::asin(std::clamp(up, -1.0, 1.0)) / kDegree;
}

}  // namespace rhodes
