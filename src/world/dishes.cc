#include "world/dishes.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "world/clock.h"
#include "world/dish_log.h"
#include "world/record_key.h"
#include "world/rng.h"

namespace rhodes {
namespace {

constexpr int64_t kStatusEvery = 5 * kWorldMinute;
constexpr int kHistoryEvery = 3;       // in statuses
constexpr int kLocationEvery = 288;    // in statuses
constexpr size_t kListedOutages = 12;  // that a history lists at most, besides the last boot

// What a dish goes through between two instants, in true time.
struct Outage {
  int64_t begin = 0;
  int64_t end = 0;
  const char* cause = "";
  int event = -1;
  int64_t dark = 0;  // the dish has no power for so long before `begin`
  bool Boots() const { return std::string_view(cause) == kBooting; }
  static constexpr const char* kBooting = "BOOTING";
};

class Dish {
 public:
  Dish(const WorldSettings& settings, const WorldMap& map, const EventPlan& plan, int number, Truth& truth)
      : settings_(settings), plan_(plan), truth_(truth), rng_(settings.seed, "dish", static_cast<uint64_t>(number)) {
    const auto towns = static_cast<int>(map.towns().size());
    town_ = number < towns * 4 ? number % towns : static_cast<int>(rng_.Below(static_cast<uint64_t>(towns)));
    id_ = fmt::format("ut01000000-00000000-{:08x}", 0x00100000 + number);
    place_ = map.Near(map.town(town_).centre, rng_.Uniform(-1, 1), rng_.Uniform(-1, 1), 4.0);
    skew_ = static_cast<int64_t>(rng_.Bell() * settings.noise * 40e6);
    skew_ -= skew_ % 1000;
    phase_ = rng_.Between(0, 299) * kWorldSecond;
    boot_ = kWorldStart - rng_.Between(20, 600) * kWorldHour + rng_.Between(0, 999'999'999) / 1000;
    latency_ = rng_.Uniform(24, 42);
    version_ = rng_.Chance(0.5) ? 31 : 32;
    path_ = fmt::format("dishes/{}.log", id_);
    PlanOutages();
  }

  const std::string& path() const { return path_; }

  void Write(WorldFile& file) {
    const int64_t end = kWorldStart + settings_.hours * kWorldHour;
    int poll = 0;
    for (int64_t time = kWorldStart + phase_; time < end; time += kStatusEvery, ++poll) {
      const int64_t asked = time + rng_.Between(0, 900) * 1000;
      const int64_t answered = asked + rng_.Between(40, 260) * 1000;
      const bool missed = rng_.Chance(0.02 * settings_.noise);
      if (!Pass(answered) || missed) continue;
      const DishPoll when{asked + skew_, answered + skew_};
      if (poll % kLocationEvery == 0) {
        Emit(file, FormatDishLocation(id_, when, place_), TimedKey("location", id_, when.answered), {}, -1);
      }
      WriteStatus(file, answered, when);
      if (poll % kHistoryEvery == 0) WriteHistory(file, answered, when);
    }
  }

 private:
  void PlanOutages() {
    const auto join = [&](double share) { return rng_.Chance(share); };
    for (const int index : plan_.InTown(town_)) {
      const WorldEvent& event = plan_.event(index);
      switch (event.kind) {
        case EventKind::kStorm:
          if (join(0.95)) PlanStorm(event);
          break;
        case EventKind::kPowerCut:
          if (join(0.92)) PlanBoot(event.end + rng_.Between(5, 90) * kWorldSecond, index, event.end - event.begin);
          break;
        case EventKind::kSatellite:
          if (join(0.85)) PlanLoss(event);
          break;
        case EventKind::kFirmware:
          if (join(0.85))
            PlanBoot(event.begin + rng_.Between(0, (event.end - event.begin) / kWorldSecond) * kWorldSecond, index, 0);
          break;
        case EventKind::kRoad:
        case EventKind::kCharger:
        case EventKind::kFestival:
          break;
      }
    }
    PlanBlips();
    std::sort(outages_.begin(), outages_.end(), [](const Outage& a, const Outage& b) { return a.begin < b.begin; });
    // A dish is in one state at a time: what overlaps an outage of an event, or the one before, does not happen.
    std::vector<Outage> kept;
    for (const Outage& outage : outages_) {
      if (!kept.empty() && outage.begin - outage.dark < kept.back().end + 2 * kWorldSecond) {
        if (kept.back().event >= 0 || outage.event < 0) continue;
        kept.pop_back();
      }
      kept.push_back(outage);
    }
    outages_ = std::move(kept);
  }

  int64_t Fine() { return rng_.Between(0, 999'999); }  // microseconds: outages begin at any

  void PlanStorm(const WorldEvent& event) {
    const int count = 3 + event.severity + static_cast<int>(rng_.Below(3));
    for (int i = 0; i < count; ++i) {
      const int64_t begin =
          event.begin + rng_.Between(0, (event.end - event.begin) / kWorldSecond) * kWorldSecond + Fine();
      const int64_t length = rng_.Between(8, 40 + 12 * event.severity) * kWorldSecond + Fine();
      outages_.push_back({begin, begin + length, rng_.Chance(0.7) ? "NO_DOWNLINK" : "NO_PINGS", event.index});
    }
  }
  void PlanBoot(int64_t begin, int event, int64_t dark) {
    begin += Fine();
    outages_.push_back({begin, begin + rng_.Between(60, 150) * kWorldSecond + Fine(), Outage::kBooting, event, dark});
  }
  void PlanLoss(const WorldEvent& event) {
    const int64_t begin = event.begin + Fine();
    const int64_t length = (event.end - event.begin) * rng_.Between(70, 110) / 100;
    outages_.push_back({begin, begin + length, rng_.Chance(0.8) ? "NO_SCHEDULE" : "NO_DOWNLINK", event.index});
  }
  // What belongs to no event: a tree in the wind, a lost ping, someone who pulls the plug.
  void PlanBlips() {
    const double days = settings_.hours / 24.0;
    const auto times = [&](double a_day) {
      const double mean = a_day * days;
      auto count = static_cast<int64_t>(mean);
      if (rng_.Chance(mean - static_cast<double>(count))) ++count;
      return count;
    };
    const auto any = [&] { return kWorldStart + rng_.Between(0, settings_.hours * 3600) * kWorldSecond + Fine(); };
    for (int64_t i = times(4 + 4 * settings_.noise); i > 0; --i) {
      const int64_t begin = any();
      outages_.push_back({begin, begin + rng_.Between(1, 5) * kWorldSecond + Fine(), "OBSTRUCTED", -1});
    }
    for (int64_t i = times(1.5 * settings_.noise); i > 0; --i) {
      const int64_t begin = any();
      outages_.push_back({begin, begin + rng_.Between(2, 45) * kWorldSecond + Fine(),
                          rng_.Chance(0.5) ? "NO_PINGS" : "NO_DOWNLINK", -1});
    }
    for (int64_t i = times(0.15 * settings_.noise); i > 0; --i)
      PlanBoot(any(), -1, rng_.Between(5, 200) * kWorldSecond);
  }

  // Goes on to `time`. False when the dish gives no answer then.
  bool Pass(int64_t time) {
    while (next_ < outages_.size() && outages_[next_].begin - outages_[next_].dark <= time) {
      const Outage& outage = outages_[next_];
      if (outage.begin > time) return false;  // no power
      if (outage.Boots()) {
        listed_.clear();
        boot_ = outage.begin;
        boot_event_ = outage.event;
        boot_length_ = outage.end - outage.begin;
        if (outage.event >= 0 && plan_.event(outage.event).kind == EventKind::kFirmware) ++version_;
      } else {
        listed_.push_back(outage);
        if (listed_.size() > kListedOutages) listed_.erase(listed_.begin());
      }
      current_ = outage;
      ++next_;
    }
    return true;
  }
  bool Down(int64_t time) const { return current_.begin <= time && time < current_.end; }

  void WriteStatus(WorldFile& file, int64_t time, const DishPoll& when) {
    DishStatus status;
    status.version = version_;
    status.uptime = (time - boot_) / kWorldSecond;
    status.latency = latency_ + rng_.Bell() * 3;
    status.drop = rng_.Chance(0.15) ? rng_.Uniform(0, 0.05) : 0;
    status.down = rng_.Uniform(2e6, 90e6);
    status.up = rng_.Uniform(2e5, 9e6);
    status.obstructed = rng_.Uniform(0.0005, 0.004);
    int event = -1;
    const int storm = plan_.At(town_, time, {EventKind::kStorm});
    const int festival = plan_.At(town_, time, {EventKind::kFestival});
    if (Down(time)) {
      status.outage = DishOutage{current_.cause, GpsNanosecondsOf(current_.begin), (time - current_.begin) * 1000};
      status.drop = 1;
      status.latency = -1;
      status.down = status.up = 0;
      event = current_.event;
    } else if (storm >= 0 && rng_.Chance(0.9)) {
      status.drop = rng_.Uniform(0.3, 0.8);
      status.latency += rng_.Uniform(10, 40);
      event = storm;
    } else if (festival >= 0 && rng_.Chance(0.9)) {
      status.latency = rng_.Uniform(130, 260);
      status.down = rng_.Uniform(2e5, 2e6);
      event = festival;
    } else if (rng_.Chance(0.004 * settings_.noise)) {  // somebody's update, a passing cloud
      if (rng_.Chance(0.5)) {
        status.drop = rng_.Uniform(0.2, 0.6);
      } else {
        status.latency = rng_.Uniform(100, 200);
      }
    }
    Emit(file, FormatDishStatus(id_, when, status), TimedKey("status", id_, when.answered), {}, event);
  }

  void WriteHistory(WorldFile& file, int64_t time, const DishPoll& when) {
    if (Down(time) && current_.Boots()) return;
    DishHistory history;
    history.current = (time - boot_) / kWorldSecond;
    std::vector<std::pair<std::string, int>> outages;
    const auto list = [&](const char* cause, int64_t begin, int64_t length, int event) {
      const int64_t start = GpsNanosecondsOf(begin);
      history.outages.push_back({cause, start, length * 1000});
      outages.emplace_back(OutageKey(id_, start, length * 1000), event);
    };
    list(Outage::kBooting, boot_, boot_length_, boot_event_);
    for (const Outage& outage : listed_) {
      list(outage.cause, outage.begin, std::min(outage.end, time) - outage.begin, outage.event);
    }
    std::vector<std::string> samples;
    for (int64_t i = std::min<int64_t>(history.current, kDishRing) - 1; i >= 0; --i) {
      const int64_t at = time - i * kWorldSecond;
      DishSample sample;
      const bool lost = Down(at);
      sample.drop = lost ? 1 : rng_.Chance(0.03) ? rng_.Uniform(0, 0.3) : 0;
      sample.latency = lost ? -1 : latency_ + rng_.Bell() * 4;
      sample.down = lost ? 0 : rng_.Uniform(1e5, 8e7);
      sample.up = lost ? 0 : rng_.Uniform(1e4, 6e6);
      history.samples.push_back(sample);
      samples.push_back(TimedKey("sample", id_, when.answered - i * kWorldSecond));
    }
    Emit(file, FormatDishHistory(id_, when, history), "", samples, -1, outages);
  }

  // Writes a line, or what the noise leaves of it, and notes the records in it.
  void Emit(WorldFile& file, const std::string& line, const std::string& key, const std::vector<std::string>& samples,
            int event, const std::vector<std::pair<std::string, int>>& outages = {}) {
    if (rng_.Chance(0.003 * settings_.noise)) {
      file.Write(line.substr(0, line.find("data: ") + 40 + rng_.Below(line.size() / 2)));
      file.Write("\n");
      return truth_.Corrupt(kSource);
    }
    file.Write(line);
    file.Write("\n");
    const bool twice = rng_.Chance(0.004 * settings_.noise);
    if (twice) {
      file.Write(line);
      file.Write("\n");
      truth_.Duplicate(kSource, (key.empty() ? 0 : 1) + samples.size() + outages.size());
    }
    if (!key.empty()) {
      truth_.Emit(kSource, key);
      if (event >= 0) truth_.Witness(event, kSource, key, path_);
    }
    for (const std::string& sample : samples) truth_.Emit(kSource, sample);
    for (const auto& [outage, its_event] : outages) {
      if (!seen_.insert(outage).second) {
        truth_.Duplicate(kSource);
        continue;
      }
      truth_.Emit(kSource, outage);
      if (its_event >= 0) truth_.Witness(its_event, kSource, outage, path_);
    }
  }

  static constexpr const char* kSource = "dishes";
  const WorldSettings& settings_;
  const EventPlan& plan_;
  Truth& truth_;
  WorldRng rng_;
  int town_ = 0;
  std::string id_;
  std::string path_;
  WorldPoint place_;
  int64_t skew_ = 0;
  int64_t phase_ = 0;
  double latency_ = 30;
  int version_ = 31;
  std::vector<Outage> outages_;
  // While it is polled:
  size_t next_ = 0;
  int64_t boot_ = 0;
  int64_t boot_length_ = 92 * kWorldSecond;
  int boot_event_ = -1;
  Outage current_;
  std::vector<Outage> listed_;  // since the boot
  std::set<std::string> seen_;  // outages that were written
};

}  // namespace

absl::Status WriteDishes(const WorldSettings& settings, const WorldMap& map, const EventPlan& plan, Truth& truth,
                         WorldReport& report, RunContext& context) {
  context.progress->Begin("world: dishes", static_cast<uint64_t>(settings.dishes), "dishes");
  for (int number = 0; number < settings.dishes; ++number) {
    RETURN_IF_ERROR(context.CheckCancelled());
    Dish dish(settings, map, plan, number, truth);
    ASSIGN_OR_RETURN(auto file, WorldFile::Create(fmt::format("{}/{}", settings.directory, dish.path())));
    dish.Write(*file);
    RETURN_IF_ERROR(file->Close());
    report.bytes += file->bytes();
    context.progress->Update(static_cast<uint64_t>(number) + 1, "");
  }
  context.progress->End();
  return absl::OkStatus();
}

}  // namespace rhodes
