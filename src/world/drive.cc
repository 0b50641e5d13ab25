#include "world/drive.h"

#include <algorithm>

#include "world/clock.h"

namespace rhodes {
namespace {

constexpr double kKmPerMile = 1.609344;

}  // namespace

Drive::Drive(const WorldMap& map, const EventPlan& plan, int town, double noise, WorldRng& rng)
    : map_(map), plan_(plan), noise_(noise), rng_(rng), town_(town) {
  soc_ = rng_.Uniform(30, 95);
  odometer_ = rng_.Uniform(2'000, 60'000);
  place_ = map_.Near(map_.town(town_).centre, rng_.Uniform(-1, 1), rng_.Uniform(-1, 1), 2.5);
  Park(1, 90);
}

void Drive::Park(int minutes_low, int minutes_high) {
  state_ = State::kParked;
  minutes_ = static_cast<int>(rng_.Between(minutes_low, minutes_high));
}

void Drive::Decide(int64_t time) {
  const int hour = CivilOf(time + kWorldZone).hour;
  if ((hour >= 23 || hour < 5) && rng_.Chance(0.6)) return Park(60, 180);
  const auto& roads = map_.town(town_).roads;
  if (soc_ < 30 || rng_.Chance(0.3)) {
    state_ = State::kCharging;
    without_power_ = failing_ = 0;
    minutes_ = static_cast<int>(rng_.Between(25, 80));
    place_ = map_.town(town_).station;
    return;
  }
  state_ = State::kTown;
  minutes_ = static_cast<int>(rng_.Between(3, 8));
  leaves_ = !roads.empty() && rng_.Chance(0.8);
  if (leaves_) {
    road_ = rng_.Pick(roads);
    backward_ = map_.road(road_).to == town_;
    share_ = backward_ ? 1 : 0;
    slow_ = rng_.Chance(0.03 * noise_) ? static_cast<int>(rng_.Between(1, 3)) : 0;
  }
}

void Drive::WarnOfStorm(int64_t time, DriveMinute& now) {
  const int storm = plan_.At(town_, time, {EventKind::kStorm});
  if (storm < 0 || storm == warned_) return;
  warned_ = storm;
  now.alert = "APP_w224_visibilityReduced";
  now.alert_event = storm;
}

void Drive::StepTown(int64_t time, DriveMinute& now) {
  const int festival = plan_.At(town_, time, {EventKind::kFestival});
  now.drives = true;
  place_ = map_.Near(map_.town(town_).centre, rng_.Uniform(-1, 1), rng_.Uniform(-1, 1), 2.0);
  WarnOfStorm(time, now);
  if (festival >= 0) {
    now.speed = rng_.Uniform(1.5, 7.5);
    now.event = festival;
    if (!rng_.Chance(0.3)) return;  // it takes three times as long
  } else {
    now.speed = rng_.Chance(0.12) ? 0 : rng_.Uniform(14, 36);  // 0: a red light
  }
  if (--minutes_ > 0) return;
  if (leaves_) {
    state_ = State::kRoad;
    leaves_ = false;
  } else {
    Park(15, 150);
  }
}

void Drive::StepRoad(int64_t time, DriveMinute& now) {
  const WorldRoad& road = map_.road(road_);
  now.drives = true;
  const int closure = plan_.OnRoad(road_, time);
  if (closure >= 0) {
    now.speed = rng_.Chance(0.6) ? 0 : rng_.Uniform(0.5, 4.5);
    now.event = closure;
  } else if (slow_ > 0 && share_ > 0.3 && share_ < 0.7) {
    now.speed = rng_.Uniform(1, 9);
    --slow_;
  } else {
    now.speed = rng_.Uniform(48, 72);
  }
  const double step = now.speed * kKmPerMile / 60 / std::max(1.0, road.km);
  share_ += backward_ ? -step : step;
  place_ = map_.Along(road_, std::clamp(share_, 0.0, 1.0));
  if (share_ > 0 && share_ < 1) return;
  town_ = backward_ ? road.from : road.to;
  state_ = State::kTown;
  minutes_ = static_cast<int>(rng_.Between(3, 7));
}

void Drive::StepCharging(int64_t time, DriveMinute& now) {
  const int event = plan_.At(town_, time, {EventKind::kPowerCut, EventKind::kCharger});
  if (event < 0 && failing_ == 0 && rng_.Chance(0.003 * noise_)) failing_ = static_cast<int>(rng_.Between(1, 4));
  if (event >= 0 || failing_ > 0) {
    now.charge = "NoPower";
    now.event = event;
    if (event < 0) --failing_;
    if (event >= 0 && warned_ != event) {
      warned_ = event;
      now.alert = plan_.event(event).kind == EventKind::kCharger ? "CP_a066_evseFault" : "CP_a054_acVoltageLost";
      now.alert_event = event;
    }
    if (++without_power_ > 12 && rng_.Chance(0.12)) Park(10, 60);
    return;
  }
  now.charge = "Charging";
  now.charge_power = rng_.Uniform(38, 120);
  soc_ = std::min(98.0, soc_ + now.charge_power / 60 / 0.75);
  if (--minutes_ <= 0 || soc_ >= 97) {
    now.charge = "Complete";
    now.charge_power = 0;
    Park(5, 90);
  }
}

DriveMinute Drive::Step(int64_t time) {
  DriveMinute now;
  const CivilTime civil = CivilOf(time + kWorldZone);
  // Coldest at five in the morning, warmest at five in the afternoon: two straight lines.
  const int since = (civil.hour * 60 + civil.minute + 19 * 60) % 1440;
  now.outside = 16 + 14.0 * (since < 720 ? since : 1440 - since) / 720 + rng_.Bell() * 0.3;
  if (plan_.At(town_, time, {EventKind::kStorm}) >= 0) now.outside -= 6;
  if (state_ == State::kParked && --minutes_ <= 0) Decide(time);
  now.reports = state_ != State::kParked || civil.minute == 0;
  switch (state_) {
    case State::kParked:
      break;
    case State::kTown:
      StepTown(time, now);
      break;
    case State::kRoad:
      StepRoad(time, now);
      break;
    case State::kCharging:
      StepCharging(time, now);
      break;
  }
  odometer_ += now.speed / 60;
  soc_ = std::max(4.0, soc_ - now.speed / 60 * 0.32);
  now.place = place_;
  now.soc = soc_;
  now.odometer = odometer_;
  if (now.alert == nullptr && now.drives && rng_.Chance(0.0004 * noise_)) now.alert = "VCFRONT_a192_washerFluidLow";
  return now;
}

}  // namespace rhodes
