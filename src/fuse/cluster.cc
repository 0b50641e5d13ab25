#include "fuse/cluster.h"

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include "fuse/place.h"

namespace rhodes {
namespace {

struct Pair {
  double score;
  uint32_t first;
  uint32_t second;
};

class Clusterer {
 public:
  Clusterer(const std::vector<EventPoint>& points, double metres, int64_t window)
      : points_(points), metres_(metres), window_(window), grid_(metres, window) {}

  absl::Status FindPairs() {
    absl::flat_hash_map<uint64_t, std::vector<uint32_t>> cells;
    std::vector<uint64_t> near;
    for (uint32_t i = 0; i < points_.size(); ++i) {
      const EventPoint& point = points_[i];
      near.clear();
      grid_.NearCells(point.latitude, point.longitude, point.time, near);
      for (const uint64_t cell : near) {
        const auto found = cells.find(cell);
        if (found == cells.end()) continue;
        for (const uint32_t other : found->second) {
          const double score = Score(other, i);
          if (score > 1) continue;
          if (pairs_.size() == kMostEventPairs) {
            return absl::ResourceExhaustedError(fmt::format(
                "more than {} pairs of records lie within the distance and the window: take fewer metres, a shorter "
                "window or fewer records",
                kMostEventPairs));
          }
          pairs_.push_back({score, other, i});
        }
      }
      cells[grid_.Cell(point.latitude, point.longitude, point.time)].push_back(i);
    }
    std::sort(pairs_.begin(), pairs_.end(), [](const Pair& a, const Pair& b) {
      return std::tie(a.score, a.first, a.second) < std::tie(b.score, b.first, b.second);
    });
    return absl::OkStatus();
  }

  std::vector<int64_t> Join() {
    of_.resize(points_.size());
    members_.resize(points_.size());
    for (uint32_t i = 0; i < points_.size(); ++i) {
      of_[i] = i;
      members_[i] = {i};
    }
    for (const Pair& pair : pairs_) JoinClustersOf(pair);
    return {of_.begin(), of_.end()};
  }

 private:
  // At most 1 for a pair.
  double Score(uint32_t a, uint32_t b) const {
    const auto apart = static_cast<uint64_t>(std::max(points_[a].time, points_[b].time)) -
                       static_cast<uint64_t>(std::min(points_[a].time, points_[b].time));
    if (apart > static_cast<uint64_t>(window_)) return 2;
    const double distance =
        DistanceMetres(points_[a].latitude, points_[a].longitude, points_[b].latitude, points_[b].longitude);
    const double of_window = apart == 0 ? 0 : static_cast<double>(apart) / static_cast<double>(window_);
    return std::max(distance / metres_, of_window);
  }

  // A cluster is named by its first member.
  void JoinClustersOf(const Pair& pair) {
    uint32_t a = of_[pair.first];
    uint32_t b = of_[pair.second];
    if (a == b) return;
    if (a > b) std::swap(a, b);
    // What does not fit never will: clusters only grow.
    const uint64_t both = (uint64_t{a} << 32) | b;
    if (refused_.contains(both)) return;
    for (const uint32_t i : members_[a]) {
      for (const uint32_t j : members_[b]) {
        if (Score(i, j) > 1) {
          refused_.insert(both);
          return;
        }
      }
    }
    for (const uint32_t j : members_[b]) of_[j] = a;
    members_[a].insert(members_[a].end(), members_[b].begin(), members_[b].end());
    members_[b].clear();
    members_[b].shrink_to_fit();
  }

  const std::vector<EventPoint>& points_;
  const double metres_;
  const int64_t window_;
  const PlaceGrid grid_;
  std::vector<Pair> pairs_;
  std::vector<uint32_t> of_;
  std::vector<std::vector<uint32_t>> members_;
  absl::flat_hash_set<uint64_t> refused_;
};

}  // namespace

absl::StatusOr<std::vector<int64_t>> ClusterEvents(const std::vector<EventPoint>& points, double metres,
                                                   int64_t window) {
  Clusterer clusterer(points, metres, window);
  RETURN_IF_ERROR(clusterer.FindPairs());
  return clusterer.Join();
}

double PoissonSurprise(int64_t count, double expected) {
  if (count <= 0) return 0;
  const auto n = static_cast<double>(count);
  // log P(N = n), from which the tail is summed upwards; below the mean, one minus the lower terms is exact enough.
  int sign = 0;
  const double log_term = n * std::log(expected) - expected - lgamma_r(n + 1, &sign);
  constexpr double kEnough = 1e-17;
  if (n > expected) {
    double sum = 1;
    double term = 1;
    for (double k = n + 1; term > sum * kEnough; ++k) {
      term *= expected / k;
      sum += term;
    }
    return -(log_term + std::log(sum)) / std::log(10.0);
  }
  double sum = 0;
  double term = n / expected;  // of n - 1
  for (double k = n - 1; k >= 0 && term > sum * kEnough; --k) {
    sum += term;
    term *= k / expected;
  }
  return -std::log1p(-std::min(std::exp(log_term) * sum, 1.0)) / std::log(10.0);
}

}  // namespace rhodes
