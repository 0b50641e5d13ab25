// Which satellites stand above the horizon of a place.
#ifndef RHODES_ORBIT_VISIBILITY_H_
#define RHODES_ORBIT_VISIBILITY_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "orbit/geometry.h"
#include "orbit/propagate.h"
#include "orbit/sgp4.h"

namespace rhodes {

struct VisibleSatellite {
  size_t number = 0;  // in the set
  LookAngles look;
};

// Many satellites asked for one moment after another. Not thread-safe (it keeps the positions of the last moment);
// cheap to copy relative to the elements.
class SatelliteSet {
 public:
  explicit SatelliteSet(std::vector<Satellite> satellites);
  size_t size() const { return satellites_.size(); }
  const Satellite& operator[](size_t number) const { return satellites_[number]; }

  // Of the satellites `among` (numbers, ascending), those at least `minimum_elevation` degrees above the horizon of
  // `place` at `time`, the highest first (equal: by number). A satellite with an OrbitError is not above. Costs one
  // propagation a satellite for each new `time`, and a few multiplications a satellite for each place.
  std::vector<VisibleSatellite> Above(const Geodetic& place, int64_t time, double minimum_elevation,
                                      std::span<const size_t> among);
  std::vector<VisibleSatellite> Above(const Geodetic& place, int64_t time, double minimum_elevation);

 private:
  // Fills ecef_ and known_ for the satellites `among` at `time`.
  void MoveTo(int64_t time, std::span<const size_t> among);

  std::vector<Satellite> satellites_;
  std::vector<size_t> all_;
  std::vector<Vector3> ecef_;
  std::vector<int64_t> known_at_;  // the moment of ecef_; the satellite has no place then when failed_
  std::vector<bool> failed_;
  NearEarthBatch batch_;
};

}  // namespace rhodes

#endif  // RHODES_ORBIT_VISIBILITY_H_
