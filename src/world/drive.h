// What one vehicle does: a state that is moved on minute by minute.
#ifndef RHODES_WORLD_DRIVE_H_
#define RHODES_WORLD_DRIVE_H_

#include <cstdint>
#include <string>

#include "world/events.h"
#include "world/map.h"
#include "world/rng.h"

namespace rhodes {

// One minute of a vehicle, as its sensors have it.
struct DriveMinute {
  bool reports = false;  // a sleeping car says nothing
  WorldPoint place;
  double speed = 0;  // mi/h
  bool drives = false;
  const char* charge = "Idle";  // Idle, Charging, NoPower, Complete
  double charge_power = 0;      // kW
  double soc = 0;               // %
  double odometer = 0;          // mi
  double outside = 0;           // degrees Celsius
  int event = -1;               // that changed these values
  const char* alert = nullptr;  // raised in this minute
  int alert_event = -1;
};

class Drive {
 public:
  Drive(const WorldMap& map, const EventPlan& plan, int town, double noise, WorldRng& rng);
  // The minute that begins at `time`; to be called for each minute in turn.
  DriveMinute Step(int64_t time);

 private:
  enum class State : uint8_t { kParked, kTown, kRoad, kCharging };
  void Park(int minutes_low, int minutes_high);
  void Decide(int64_t time);
  void StepTown(int64_t time, DriveMinute& now);
  void StepRoad(int64_t time, DriveMinute& now);
  void StepCharging(int64_t time, DriveMinute& now);
  void WarnOfStorm(int64_t time, DriveMinute& now);

  const WorldMap& map_;
  const EventPlan& plan_;
  const double noise_;
  WorldRng& rng_;
  State state_ = State::kParked;
  int town_;
  int minutes_ = 0;      // left in this state
  bool leaves_ = false;  // of the town: onto the road
  int road_ = -1;
  bool backward_ = false;
  double share_ = 0;  // of the road
  int slow_ = 0;      // minutes of a short jam that is no event
  int without_power_ = 0;
  int failing_ = 0;  // minutes for which a socket fails this car alone
  int warned_ = -1;  // the event of the last alert
  double soc_;
  double odometer_;
  WorldPoint place_;
};

}  // namespace rhodes

#endif  // RHODES_WORLD_DRIVE_H_
