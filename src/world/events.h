// The hidden events: what truly happens, where and when. Everything else in the world only shows it.
#ifndef RHODES_WORLD_EVENTS_H_
#define RHODES_WORLD_EVENTS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "world/map.h"

namespace rhodes {

enum class EventKind : uint8_t {
  kStorm,      // a town: its dishes lose the link again and again, cars warn of bad sight
  kPowerCut,   // a town: its dishes are off and boot when it ends, cars cannot charge
  kRoad,       // a road is blocked: cars on it stand
  kCharger,    // a town's charging station is broken: cars there cannot charge
  kFestival,   // a town: cars crawl, dishes are slow
  kSatellite,  // a satellite fails or moves away: dishes around lose the link at one instant
  kFirmware    // dishes around boot one after another into new software
};
inline constexpr int kEventKinds = 7;
std::string_view NameOf(EventKind kind);

struct WorldEvent {
  int index = 0;
  std::string id;  // "event-0007"
  EventKind kind = EventKind::kStorm;
  int town = 0;            // where, or the middle of the region
  int road = -1;           // kRoad
  std::vector<int> towns;  // all that it touches, sorted
  int64_t begin = 0;
  int64_t end = 0;
  int severity = 1;     // 1 to 5
  int satellite = -1;   // kSatellite: filled by the sky
  uint64_t detail = 0;  // a number from which its texts draw cause, victims and so on
};

// Whether a symptom of the two kinds could be taken for one another: slow or lost links, missing power, standing cars.
bool ShareSymptoms(EventKind a, EventKind b);

// The events of a world, by begin. In one town no event begins within four hours after another with shared symptoms
// ended, so that what is said there belongs to one of them.
class EventPlan {
 public:
  EventPlan(uint64_t seed, const WorldMap& map, int64_t begin, int64_t end);

  const std::vector<WorldEvent>& events() const { return events_; }
  // For the sky, which moves an event to when a satellite is there; Reorder() must follow.
  std::vector<WorldEvent>& mutable_events() { return events_; }
  void Reorder();
  const WorldEvent& event(int index) const { return events_[static_cast<size_t>(index)]; }
  // Events that touch a town, by begin.
  const std::vector<int>& InTown(int town) const { return by_town_[static_cast<size_t>(town)]; }
  // The event of one of `kinds` that holds a town at a time; -1: none. `after`: how long its end still counts.
  int At(int town, int64_t time, std::initializer_list<EventKind> kinds, int64_t after = 0) const;
  // The event that blocks a road at a time; -1: none.
  int OnRoad(int road, int64_t time) const;
  // Whether anything with the symptoms of `kind` is near a town within `margin` of a time.
  bool Quiet(int town, int64_t time, EventKind kind, int64_t margin) const;

 private:
  std::vector<WorldEvent> events_;
  std::vector<std::vector<int>> by_town_;
  std::vector<std::vector<int>> by_road_;
};

}  // namespace rhodes

#endif  // RHODES_WORLD_EVENTS_H_
