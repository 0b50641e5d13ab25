// Random numbers that are the same on every machine: integers and exact arithmetic only, no library distributions.
#ifndef RHODES_WORLD_RNG_H_
#define RHODES_WORLD_RNG_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/hash.h"

namespace rhodes {

// SplitMix64 (Steele, Lea, Flood 2014). Each part of the world has a stream of its own, named by what it is for and a
// number, so that one more dish does not change what the cars do. Not thread-safe.
class WorldRng {
 public:
  WorldRng(uint64_t seed, std::string_view purpose, uint64_t number = 0)
      : state_(Fingerprint(purpose, seed) + number * 0xd1342543de82ef95ULL) {
    Next();
  }

  uint64_t Next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  // 0 to `bound` - 1; 0 when `bound` is 0. `bound` is at most 2^32; some numbers come up to bound / 2^32 more often.
  uint64_t Below(uint64_t bound) { return (Next() >> 32) * bound >> 32; }
  // `low` to `high`, both included.
  int64_t Between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(Below(static_cast<uint64_t>(high - low) + 1));
  }
  // [0, 1), a multiple of 2^-53: exact.
  double Unit() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }
  double Uniform(double low, double high) { return low + (high - low) * Unit(); }
  bool Chance(double probability) { return Unit() < probability; }
  // About normal with deviation 1 (the sum of twelve uniform numbers; within -6 and 6).
  double Bell() {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += Unit();
    return sum;
  }
  template <typename T>
  const T& Pick(const std::vector<T>& list) {
    return list[Below(list.size())];
  }

 private:
  uint64_t state_;
};

}  // namespace rhodes

#endif  // RHODES_WORLD_RNG_H_
