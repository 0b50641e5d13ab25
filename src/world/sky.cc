#include "world/sky.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "orbit/geometry.h"
#include "orbit/sgp4.h"
#include "world/clock.h"
#include "world/record_key.h"
#include "world/rng.h"

namespace rhodes {
namespace {

// A shell like those of today's link networks: 22 planes of 20 at 550 km and 53 degrees.
constexpr int kPlanes = 22;
constexpr int kPerPlane = 20;
constexpr double kMotion = 15.05;
constexpr double kInclination = 53.05;
constexpr int kFirstNumber = 71001;

double Turn(double degrees) {
  const double rest = degrees - 360.0 * std::floor(degrees / 360.0);
  return rest >= 360.0 ? 0.0 : rest;
}

}  // namespace

std::string FormatTle(const WorldElements& elements) {
  return fmt::format("{:<24}\n{}\n", elements.name,
                     WriteTwoLines(static_cast<uint32_t>(elements.number), elements.designator, elements.mean));
}

Sky::Sky(uint64_t seed, int hours) : days_((hours + 23) / 24) {
  WorldRng rng(seed, "sky");
  const double turn = rng.Uniform(0, 360);
  for (int plane = 0; plane < kPlanes; ++plane) {
    for (int slot = 0; slot < kPerPlane; ++slot) {
      const int index = plane * kPerPlane + slot;
      Craft satellite;
      WorldElements& e = satellite.start;
      e.number = kFirstNumber + index;
      e.name = fmt::format("LANTERN-{}", 1001 + index);
      e.designator = fmt::format("25{:03}{}", 100 + plane, static_cast<char>('A' + slot));
      e.mean.epoch = kWorldStart;
      e.mean.inclination = kInclination + rng.Uniform(-0.01, 0.01);
      e.mean.right_ascension = Turn(turn + plane * 360.0 / kPlanes + rng.Uniform(-0.3, 0.3));
      e.mean.eccentricity = rng.Uniform(0.00005, 0.0002);
      e.mean.argument_of_perigee = rng.Uniform(60, 120);
      e.mean.mean_anomaly =
          Turn(slot * 360.0 / kPerPlane + plane * 7.0 + rng.Uniform(-1.5, 1.5) - e.mean.argument_of_perigee);
      e.mean.mean_motion = kMotion + rng.Uniform(-0.002, 0.002);
      e.mean.drag = rng.Uniform(0.00005, 0.0003);
      // Secular rates of the Earth's oblateness for this shell (Vallado 2013, 9.37 and 9.39), degrees a day.
      satellite.node_rate = -4.49;
      satellite.perigee_rate = 3.02;
      satellites_.push_back(satellite);
    }
  }
}

int64_t Sky::EpochOf(size_t index, int day) const {
  // Between 18:00 of the day before and midnight, another time for each satellite; whole units of a TLE's epoch.
  const int64_t back = static_cast<int64_t>(index * 7919 % 350) * kWorldMinute + 864'000;
  const int64_t epoch = kWorldStart + day * kWorldDay - back;
  return epoch - epoch % 864;
}

WorldElements Sky::At(size_t index, int day) const {
  const Craft& satellite = satellites_[index];
  WorldElements e = satellite.start;
  e.mean.epoch = EpochOf(index, day);
  const double days = static_cast<double>(e.mean.epoch - kWorldStart) / static_cast<double>(kWorldDay);
  double motion = e.mean.mean_motion;
  double turns = e.mean.mean_motion * days;
  if (!satellite.dead && e.mean.epoch > satellite.changed_at) {
    // It climbs: slower from the manoeuvre on.
    const double since = static_cast<double>(e.mean.epoch - satellite.changed_at) / static_cast<double>(kWorldDay);
    motion -= 0.04;
    turns -= 0.04 * since;
  }
  e.mean.mean_motion = motion;
  e.mean.right_ascension = Turn(e.mean.right_ascension + satellite.node_rate * days);
  e.mean.argument_of_perigee = Turn(e.mean.argument_of_perigee + satellite.perigee_rate * days);
  e.mean.mean_anomaly = Turn(e.mean.mean_anomaly + 360.0 * (turns - std::floor(turns)));
  return e;
}

bool Sky::HasSet(size_t index, int day) const {
  const Craft& satellite = satellites_[index];
  return !satellite.dead || EpochOf(index, day) <= satellite.changed_at;
}

absl::StatusOr<std::vector<Sky::Overhead>> Sky::Above(WorldPoint place, int64_t time) const {
  std::vector<Overhead> found;
  const Observer observer({place.latitude, place.longitude, 0});
  const double turned = SiderealTime(time);
  for (size_t index = 0; index < satellites_.size(); ++index) {
    int day = days_;
    while (day > 0 && (EpochOf(index, day) > time || !HasSet(index, day))) --day;
    // As the catalogue will have them: with the digits of two lines.
    const WorldElements elements = At(index, day);
    const std::string lines = WriteTwoLines(static_cast<uint32_t>(elements.number), elements.designator, elements.mean);
    ASSIGN_OR_RETURN(const MeanElements published, ParseTwoLines(lines.substr(0, 69), lines.substr(70)));
    OrbitState state;
    if (Satellite(published).At(time, state) != OrbitError::kNone) continue;
    const double elevation = observer.LookAt(TemeToEcef(state.position, turned)).elevation;
    if (elevation >= kMask) found.push_back({elements.number, elements.mean.epoch, elevation, static_cast<int>(index)});
  }
  std::sort(found.begin(), found.end(), [](const Overhead& a, const Overhead& b) { return a.elevation > b.elevation; });
  return found;
}

absl::Status Sky::Assign(const WorldMap& map, EventPlan& plan) {
  for (WorldEvent& event : plan.mutable_events()) {
    if (event.kind != EventKind::kSatellite) continue;
    const WorldPoint place = map.town(event.town).centre;
    for (int step = 0; step < 30 && event.satellite < 0; ++step) {
      ASSIGN_OR_RETURN(const std::vector<Overhead> above, Above(place, event.begin));
      const auto free = std::find_if(above.begin(), above.end(), [&](const Overhead& each) {
        return satellites_[static_cast<size_t>(each.index)].changed_at == INT64_MAX;
      });
      if (free != above.end()) {
        event.satellite = free->index;
        Craft& satellite = satellites_[static_cast<size_t>(free->index)];
        satellite.changed_at = event.begin;
        satellite.dead = event.detail % 2 == 0;
      } else {
        event.begin += 20 * kWorldSecond;
        event.end += 20 * kWorldSecond;
      }
    }
  }
  plan.Reorder();
  return absl::OkStatus();
}

absl::Status Sky::Write(const std::string& directory, const WorldMap& map, const EventPlan& plan, double noise,
                        uint64_t seed, Truth& truth, WorldReport& report) const {
  WorldRng rng(seed, "element sets");
  for (int day = 0; day <= days_; ++day) {
    const CivilTime civil = CivilOf(kWorldStart + day * kWorldDay);
    ASSIGN_OR_RETURN(auto file, WorldFile::Create(fmt::format("{}/satellites/lantern-{:04}{:02}{:02}.tle", directory,
                                                              civil.year, civil.month, civil.day)));
    for (size_t index = 0; index < satellites_.size(); ++index) {
      if (!HasSet(index, day)) continue;
      const WorldElements elements = At(index, day);
      std::string text = FormatTle(elements);
      const std::string key = TimedKey("set", std::to_string(elements.number), elements.mean.epoch);
      file->Write(text);
      truth.Emit("satellites", key);
      if (rng.Chance(0.002 * noise)) {
        file->Write(text);
        truth.Duplicate("satellites");
      }
      if (rng.Chance(0.001 * noise)) {
        // The same set with a digit that was lost on the way: the checksum no longer fits.
        std::string broken = text;
        const size_t at = broken.find("\n2 ") + 12;
        broken[at] = broken[at] == '9' ? '8' : '9';
        file->Write(broken);
        truth.Corrupt("satellites");
      }
    }
    RETURN_IF_ERROR(file->Close());
    report.bytes += file->bytes();
  }
  for (const WorldEvent& event : plan.events()) {
    if (event.kind != EventKind::kSatellite) continue;
    ASSIGN_OR_RETURN(const std::vector<Overhead> above, Above(map.town(event.town).centre, event.begin));
    for (const Overhead& each : above) {
      const int day = static_cast<int>((each.epoch - kWorldStart + kWorldDay) / kWorldDay);
      const CivilTime civil = CivilOf(kWorldStart + day * kWorldDay);
      truth.Witness(event.index, "satellites", TimedKey("set", std::to_string(each.number), each.epoch),
                    fmt::format("satellites/lantern-{:04}{:02}{:02}.tle", civil.year, civil.month, civil.day));
    }
  }
  return absl::OkStatus();
}

}  // namespace rhodes
