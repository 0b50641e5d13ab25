// The satellites overhead: a shell of them, their element sets day by day, and who sees which.
#ifndef RHODES_WORLD_SKY_H_
#define RHODES_WORLD_SKY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "orbit/elements.h"
#include "world/events.h"
#include "world/map.h"
#include "world/truth.h"

namespace rhodes {

struct WorldElements {
  int number = 0;  // catalogue
  std::string name;
  std::string designator;  // "25101A"
  MeanElements mean;
};

// The two lines and the name before them, each ended by a line break.
std::string FormatTle(const WorldElements& elements);

class Sky {
 public:
  Sky(uint64_t seed, int hours);

  // Gives each satellite event the satellite that stands highest over its place, moving the event by up to ten minutes
  // when there is none; the satellite's later element sets show it (another orbit, or none at all).
  absl::Status Assign(const WorldMap& map, EventPlan& plan);
  // The catalogue numbers and epochs of the newest element sets of the satellites above `kMask` degrees.
  struct Overhead {
    int number = 0;
    int64_t epoch = 0;
    double elevation = 0;  // degrees
    int index = 0;
  };
  absl::StatusOr<std::vector<Overhead>> Above(WorldPoint place, int64_t time) const;
  // One file of element sets a day; the satellites overhead at the begin of link events are noted in `truth`.
  absl::Status Write(const std::string& directory, const WorldMap& map, const EventPlan& plan, double noise,
                     uint64_t seed, Truth& truth, WorldReport& report) const;

  static constexpr double kMask = 25.0;

 private:
  struct Craft {
    WorldElements start;   // elements at the world's start
    double node_rate = 0;  // degrees a day
    double perigee_rate = 0;
    int64_t changed_at = INT64_MAX;  // when it moved, or died
    bool dead = false;
  };
  WorldElements At(size_t index, int day) const;
  bool HasSet(size_t index, int day) const;
  int64_t EpochOf(size_t index, int day) const;

  std::vector<Craft> satellites_;
  int days_ = 1;
};

}  // namespace rhodes

#endif  // RHODES_WORLD_SKY_H_
