#include "world/events.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "world/clock.h"
#include "world/rng.h"

namespace rhodes {
namespace {

constexpr double kRegionKm = 110;
constexpr int64_t kLongest = 5 * kWorldHour;  // no event lasts longer

// Symptoms as bits.
enum : unsigned { kLink = 1, kPower = 2, kCharge = 4, kTraffic = 8, kWeather = 16, kCrowd = 32 };
unsigned SymptomsOf(EventKind kind) {
  switch (kind) {
    case EventKind::kStorm:
      return kLink | kWeather;
    case EventKind::kPowerCut:
      return kLink | kPower | kCharge;
    case EventKind::kRoad:
      return kTraffic;
    case EventKind::kCharger:
      return kCharge;
    case EventKind::kFestival:
      return kCrowd | kLink | kTraffic;
    case EventKind::kSatellite:
    case EventKind::kFirmware:
      return kLink;
  }
  return 0;
}

EventKind DrawTownKind(WorldRng& rng) {
  constexpr std::array<std::pair<EventKind, int>, 5> kShares = {{{EventKind::kStorm, 22},
                                                                 {EventKind::kPowerCut, 24},
                                                                 {EventKind::kRoad, 22},
                                                                 {EventKind::kCharger, 17},
                                                                 {EventKind::kFestival, 15}}};
  auto ticket = static_cast<int>(rng.Below(100));
  for (const auto& [kind, share] : kShares) {
    if ((ticket -= share) < 0) return kind;
  }
  return EventKind::kStorm;
}

int64_t DrawDuration(EventKind kind, int severity, WorldRng& rng) {
  switch (kind) {
    case EventKind::kStorm:
      return rng.Between(35, 70) * kWorldMinute + severity * 12 * kWorldMinute;
    case EventKind::kPowerCut:
      return rng.Between(20, 50) * kWorldMinute + severity * 15 * kWorldMinute;
    case EventKind::kRoad:
      return rng.Between(30, 60) * kWorldMinute + severity * 10 * kWorldMinute;
    case EventKind::kCharger:
      return rng.Between(60, 150) * kWorldMinute;
    case EventKind::kFestival:
      return rng.Between(120, 240) * kWorldMinute;
    case EventKind::kSatellite:
      return rng.Between(40, 60) * kWorldSecond + severity * rng.Between(15, 40) * kWorldSecond;
    case EventKind::kFirmware:
      return rng.Between(20, 45) * kWorldMinute;
  }
  return kWorldHour;
}

}  // namespace

std::string_view NameOf(EventKind kind) {
  switch (kind) {
    case EventKind::kStorm:
      return "storm";
    case EventKind::kPowerCut:
      return "power-cut";
    case EventKind::kRoad:
      return "road-closure";
    case EventKind::kCharger:
      return "charger-fault";
    case EventKind::kFestival:
      return "festival";
    case EventKind::kSatellite:
      return "satellite-failure";
    case EventKind::kFirmware:
      return "firmware-update";
  }
  return "";
}

bool ShareSymptoms(EventKind a, EventKind b) { return (SymptomsOf(a) & SymptomsOf(b)) != 0; }

EventPlan::EventPlan(uint64_t seed, const WorldMap& map, int64_t begin, int64_t end) {
  const auto towns = static_cast<int>(map.towns().size());
  // What still grows at the world's end has no witnesses afterwards: nothing begins in the last tenth.
  const int64_t last = end - std::max((end - begin) / 10, kWorldHour);

  for (int town = 0; town < towns; ++town) {
    WorldRng rng(seed, "town events", static_cast<uint64_t>(town));
    int64_t time = begin + rng.Between(30, 360) * kWorldMinute;
    while (time < last) {
      WorldEvent event;
      event.kind = DrawTownKind(rng);
      event.severity = static_cast<int>(rng.Between(1, 5));
      event.town = town;
      event.towns = {town};
      event.begin = time + rng.Between(0, 59) * kWorldSecond;
      event.end = event.begin + DrawDuration(event.kind, event.severity, rng);
      event.detail = rng.Next();
      if (event.kind == EventKind::kRoad) {
        // Each road belongs to the first of its two towns, so that one road is never blocked twice at once.
        std::vector<int> own;
        for (const int road : map.town(town).roads) {
          if (map.road(road).from == town) own.push_back(road);
        }
        if (own.empty()) {
          event.kind = EventKind::kCharger;
        } else {
          event.road = rng.Pick(own);
          event.towns = {map.road(event.road).from, map.road(event.road).to};
          std::sort(event.towns.begin(), event.towns.end());
        }
      }
      time = event.end + 4 * kWorldHour + rng.Between(0, 14 * 60) * kWorldMinute;
      events_.push_back(std::move(event));
    }
  }

  // Events of a region: about one in nine hours for thirty towns.
  WorldRng rng(seed, "region events");
  const int64_t step = 9 * kWorldHour * 30 / std::max(30, towns);
  std::vector<WorldEvent> regional;
  for (int64_t time = begin + 2 * kWorldHour; time < last; time += step) {
    WorldEvent event;
    event.kind = rng.Chance(0.6) ? EventKind::kSatellite : EventKind::kFirmware;
    event.severity = static_cast<int>(rng.Between(1, 5));
    event.town = static_cast<int>(rng.Below(static_cast<uint64_t>(towns)));
    event.towns = map.TownsWithin(event.town, kRegionKm);
    event.begin = time + rng.Between(0, 5 * 60) * kWorldMinute + rng.Between(0, 59) * kWorldSecond;
    event.end = event.begin + DrawDuration(event.kind, event.severity, rng);
    event.detail = rng.Next();
    const bool free = std::none_of(regional.begin(), regional.end(), [&](const WorldEvent& other) {
      return event.begin < other.end + 3 * kWorldHour && other.begin < event.end + 3 * kWorldHour &&
             map.Distance(map.town(event.town).centre, map.town(other.town).centre) < 3 * kRegionKm;
    });
    if (free && event.begin < last) regional.push_back(std::move(event));
  }
  for (WorldEvent& event : regional) events_.push_back(std::move(event));

  std::sort(events_.begin(), events_.end(), [](const WorldEvent& a, const WorldEvent& b) {
    return std::tie(a.begin, a.town, a.kind) < std::tie(b.begin, b.town, b.kind);
  });
  // A blocked road touches two towns, whose own plans know nothing of one another: of two events that would be one to
  // those who live there, the later does not happen.
  std::vector<WorldEvent> kept;
  by_town_.resize(static_cast<size_t>(towns));
  by_road_.resize(map.roads().size());
  for (WorldEvent& event : events_) {
    bool clear = true;
    if (event.towns.size() <= 2) {
      for (const int town : event.towns) {
        for (const int earlier : by_town_[static_cast<size_t>(town)]) {
          const WorldEvent& other = kept[static_cast<size_t>(earlier)];
          if (other.towns.size() <= 2 && ShareSymptoms(other.kind, event.kind) &&
              event.begin < other.end + 4 * kWorldHour) {
            clear = false;
          }
        }
      }
    }
    if (!clear) continue;
    event.index = static_cast<int>(kept.size());
    event.id = fmt::format("event-{:04}", event.index);
    for (const int town : event.towns) by_town_[static_cast<size_t>(town)].push_back(event.index);
    if (event.road >= 0) by_road_[static_cast<size_t>(event.road)].push_back(event.index);
    kept.push_back(std::move(event));
  }
  events_ = std::move(kept);
}

void EventPlan::Reorder() {
  for (std::vector<int>& list : by_town_) {
    std::stable_sort(list.begin(), list.end(), [&](int a, int b) { return event(a).begin < event(b).begin; });
  }
}

int EventPlan::At(int town, int64_t time, std::initializer_list<EventKind> kinds, int64_t after) const {
  const std::vector<int>& here = InTown(town);
  auto next = std::partition_point(here.begin(), here.end(),
                                   [&](int index) { return event(index).begin < time - kLongest - after; });
  for (; next != here.end(); ++next) {
    const WorldEvent& candidate = event(*next);
    if (candidate.begin > time) break;
    if (time < candidate.end + after && std::find(kinds.begin(), kinds.end(), candidate.kind) != kinds.end()) {
      return *next;
    }
  }
  return -1;
}

int EventPlan::OnRoad(int road, int64_t time) const {
  for (const int index : by_road_[static_cast<size_t>(road)]) {
    const WorldEvent& candidate = event(index);
    if (candidate.begin <= time && time < candidate.end) return index;
  }
  return -1;
}

bool EventPlan::Quiet(int town, int64_t time, EventKind kind, int64_t margin) const {
  const std::vector<int>& near = InTown(town);
  return std::none_of(near.begin(), near.end(), [&](int index) {
    const WorldEvent& other = event(index);
    return ShareSymptoms(other.kind, kind) && other.begin - margin <= time && time < other.end + margin;
  });
}

}  // namespace rhodes
