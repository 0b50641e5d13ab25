// Which records tell the same event, and how surprising a count is.
#ifndef RHODES_FUSE_CLUSTER_H_
#define RHODES_FUSE_CLUSTER_H_

#include <cstdint>
#include <vector>

#include "base/status.h"

namespace rhodes {

struct EventPoint {
  int64_t time = 0;  // microseconds
  double latitude = 0;
  double longitude = 0;
};

// For each point the number of the first point of its cluster. Points at most `metres` and `window` (microseconds)
// apart are pairs; in the order of max(distance / metres, apart / window), ties by the points' numbers, a pair's
// clusters become one when all points of both are pairs (complete linkage). So each cluster fits into `window` and
// none of its points are further than `metres` from each other. A function of the points and their order alone.
//
// Points must be places with times at least one window from the ends of int64_t; metres is positive, window not
// negative. RESOURCE_EXHAUSTED above kMostEventPairs pairs (16 bytes each, 24 while they are sorted).
inline constexpr size_t kMostEventPairs = 20'000'000;
absl::StatusOr<std::vector<int64_t>> ClusterEvents(const std::vector<EventPoint>& points, double metres,
                                                   int64_t window);

// -log10 of the chance that a Poisson variable with mean `expected` (positive) is at least `count`. 0 for a count of
// zero or less. Relative error below 1e-9 (of the larger of it and 1).
double PoissonSurprise(int64_t count, double expected);

}  // namespace rhodes

#endif  // RHODES_FUSE_CLUSTER_H_
