// SGP4 for many satellites, or many moments of one, in the processor's vectors.
#ifndef RHODES_ORBIT_PROPAGATE_H_
#define RHODES_ORBIT_PROPAGATE_H_

#include <cstdint>
#include <span>
#include <vector>

#include "orbit/sgp4.h"

namespace rhodes {

// Propagations to be made at once: near-earth satellites only (deep space goes through Satellite::At()). Results differ
// from the scalar ones by less than 1e-6 km. Reusable; not thread-safe.
class NearEarthBatch {
 public:
  void Clear();
  // `satellite` must not be deep_space().
  void Add(const Satellite& satellite, int64_t time);
  void Add(const Satellite& satellite, double minutes);
  size_t size() const { return size_; }

  void Propagate();
  OrbitError error(size_t i) const;
  OrbitState state(size_t i) const;

 private:
  size_t size_ = 0;
  size_t padded_ = 0;
  std::vector<double> rows_;     // packed terms, a satellite after another
  std::vector<double> results_;  // x y z vx vy vz error, each `padded_` long
};

// One near-earth satellite at many moments: `minutes` after its epoch. `out[i]` and `errors[i]` are set for each.
void PropagateMany(const Satellite& satellite, std::span<const double> minutes, std::span<OrbitState> out,
                   std::span<OrbitError> errors);

}  // namespace rhodes

#endif  // RHODES_ORBIT_PROPAGATE_H_
