#include "orbit/visibility.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

namespace rhodes {
namespace {

constexpr int64_t kNever = std::numeric_limits<int64_t>::min();

}  // namespace

SatelliteSet::SatelliteSet(std::vector<Satellite> satellites)
    : satellites_(std::move(satellites)),
      all_(satellites_.size()),
      ecef_(satellites_.size()),
      known_at_(satellites_.size(), kNever),
      failed_(satellites_.size(), false) {
  for (size_t i = 0; i < all_.size(); ++i) all_[i] = i;
}

void SatelliteSet::MoveTo(int64_t time, std::span<const size_t> among) {
  const double sidereal = SiderealTime(time);
  std::vector<size_t> near;  // whose places the vector code finds
  const auto place = [&](size_t number, OrbitError error, const OrbitState& state) {
    failed_[number] = error != OrbitError::kNone;
    if (!failed_[number]) ecef_[number] = TemeToEcef(state.position, sidereal);
    known_at_[number] = time;
  };
  for (const size_t number : among) {
    if (known_at_[number] == time) continue;
    if (satellites_[number].deep_space()) {
      OrbitState state;
      const OrbitError error = satellites_[number].At(time, state);
      place(number, error, state);
    } else {
      near.push_back(number);
    }
  }
  if (near.empty()) return;
  batch_.Clear();
  for (const size_t number : near) batch_.Add(satellites_[number], time);
  batch_.Propagate();
  for (size_t i = 0; i < near.size(); ++i) place(near[i], batch_.error(i), batch_.state(i));
}

std::vector<VisibleSatellite> SatelliteSet::Above(const Geodetic& place, int64_t time, double minimum_elevation) {
  return Above(place, time, minimum_elevation, all_);
}

std::vector<VisibleSatellite> SatelliteSet::Above(const Geodetic& place, int64_t time, double minimum_elevation,
                                                  std::span<const size_t> among) {
  MoveTo(time, among);
  const Observer observer(place);
  // A little below, so that rounding loses none; the angle itself decides.
  const double least_sine = std::sin(minimum_elevation * std::numbers::pi / 180) - 1e-9;
  std::vector<VisibleSatellite> visible;
  for (const size_t number : among) {
    if (failed_[number] || observer.SineElevation(ecef_[number]) < least_sine) continue;
    const LookAngles look = observer.LookAt(ecef_[number]);
    if (look.elevation >= minimum_elevation) visible.push_back({number, look});
  }
  std::sort(visible.begin(), visible.end(), [](const VisibleSatellite& a, const VisibleSatellite& b) {
    return a.look.elevation != b.look.elevation ? a.look.elevation > b.look.elevation : a.number < b.number;
  });
  return visible;
}

}  // namespace rhodes
