// A dish's answers in the form in which pollers log them; docs/sources/starlink.md has the members.
#ifndef RHODES_WORLD_DISH_LOG_H_
#define RHODES_WORLD_DISH_LOG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "world/map.h"

namespace rhodes {

// When the poller asked and had the answer, by its own clock.
struct DishPoll {
  int64_t asked = 0;
  int64_t answered = 0;
};
struct DishOutage {
  std::string cause;
  int64_t start = 0;   // nanoseconds, GPS
  int64_t length = 0;  // nanoseconds
};
struct DishStatus {
  int version = 31;  // of the software
  int64_t uptime = 0;
  double latency = 30;  // ms; -1: no ping came back
  double drop = 0;      // share
  double down = 0;      // bit/s
  double up = 0;
  double obstructed = 0;  // share
  std::optional<DishOutage> outage;
};
struct DishSample {
  double drop = 0;
  double latency = 0;
  double down = 0;
  double up = 0;
};
// The rings of this world's dishes hold so many seconds. (Today's hold 900, which at four histories an hour would be
// most of a world's bytes; readers go by the arrays' length.)
inline constexpr int kDishRing = 20;
struct DishHistory {
  int64_t current = 0;              // samples since the boot
  std::vector<DishSample> samples;  // the newest min(current, kDishRing), oldest first
  std::vector<DishOutage> outages;
};

// One line each, without its line break.
std::string FormatDishStatus(const std::string& dish, const DishPoll& poll, const DishStatus& status);
std::string FormatDishHistory(const std::string& dish, const DishPoll& poll, const DishHistory& history);
std::string FormatDishLocation(const std::string& dish, const DishPoll& poll, WorldPoint place);

}  // namespace rhodes

#endif  // RHODES_WORLD_DISH_LOG_H_
