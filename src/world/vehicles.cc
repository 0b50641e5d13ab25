#include "world/vehicles.h"

#include <fmt/format.h>

#include <algorithm>

#include "world/clock.h"
#include "world/drive.h"
#include "world/record_key.h"
#include "world/rng.h"

namespace rhodes {
namespace {

constexpr const char* kSource = "vehicles";
constexpr const char* kTeslaFiSource = "teslafi";
constexpr int kPerPartition = 64;
constexpr const char* kTeslaFiHeader =
    "data_id,Date,vin,display_name,state,shift_state,speed,odometer,battery_level,charging_state,charger_power,"
    "latitude,"
    "longitude,outside_temp,car_version\r\n";

class Car {
 public:
  Car(const WorldSettings& settings, const WorldMap& map, const EventPlan& plan, int number)
      : number_(number),
        noise_(settings.noise),
        rng_(settings.seed, "car", static_cast<uint64_t>(number)),
        drive_(map, plan, static_cast<int>(static_cast<size_t>(number) % map.towns().size()), settings.noise, rng_) {
    vin_ = fmt::format("5YJ3E1EA{}RF{:06}", "0123456789X"[number % 11], 100000 + number);
    skew_ = static_cast<int64_t>(rng_.Bell() * noise_ * 20e3) * 1000;
    phase_ = rng_.Between(0, 59'999) * 1000;
    typed_ = rng_.Chance(0.5);
    version_ = fmt::format("2026.{}.{}", rng_.Between(2, 6), rng_.Between(1, 9));
  }
  bool has_teslafi() const { return number_ % 6 == 5; }
  const std::string& vin() const { return vin_; }

  // The minute at `time` as messages; nothing when the car says nothing.
  void Telemetry(int64_t time, const std::string& path, WorldFile& file, const std::string& alert_path,
                 WorldFile& alert_file, Truth& truth) {
    const DriveMinute now = drive_.Step(time);
    if (!now.reports || rng_.Chance(0.015 * noise_)) return;
    const int64_t created = time + phase_ + skew_;
    Send(FormatMessage(now, created), CarKey(vin_, "telemetry", created), now.event, path, file, truth);
    if (now.alert != nullptr) {
      Send(FormatAlert(now, created), CarKey(vin_, "alert", created), now.alert_event, alert_path, alert_file, truth);
    }
  }

  // The same as a row of TeslaFi, which has no alerts.
  void Row(int64_t time, const std::string& path, WorldFile& file, Truth& truth) {
    const DriveMinute now = drive_.Step(time);
    if (!now.reports || rng_.Chance(0.015 * noise_)) return;
    const int64_t id = 1'000'000 + ++rows_;
    const std::string charging = now.charge == std::string_view("Idle") ? "Disconnected" : now.charge;
    const std::string row =
        fmt::format("{},{},{},Car {},online,{},{},{:.3f},{:.0f},{},{:.0f},{:.6f},{:.6f},{:.1f},{}", id,
                    LocalSeconds(time + phase_ + skew_), vin_, number_, now.drives ? "D" : "P",
                    now.drives ? fmt::format("{:.0f}", now.speed) : "None", now.odometer, now.soc, charging,
                    now.charge_power, now.place.latitude, now.place.longitude, now.outside, version_);
    if (rng_.Chance(0.002 * noise_)) {
      file.Write(row.substr(0, row.rfind(",2026") - 14) + "\r\n");  // a row that lost its last cells
      return truth.Corrupt(kTeslaFiSource);
    }
    const std::string key = fmt::format("fi:{}:{}", vin_, id);
    file.Write(row + "\r\n");
    truth.Emit(kTeslaFiSource, key);
    if (now.event >= 0) truth.Witness(now.event, kTeslaFiSource, key, path);
    if (rng_.Chance(0.005 * noise_)) {
      file.Write(row + "\r\n");
      truth.Duplicate(kTeslaFiSource);
    }
  }

 private:
  void Send(const std::string& line, const std::string& key, int event, const std::string& path, WorldFile& file,
            Truth& truth) {
    if (rng_.Chance(0.002 * noise_)) {
      file.Write(line.substr(0, 20 + rng_.Below(line.size() - 40)) + "\n");
      return truth.Corrupt(kSource);
    }
    file.Write(line + "\n");
    truth.Emit(kSource, key);
    if (event >= 0) truth.Witness(event, kSource, key, path);
    if (rng_.Chance(0.01 * noise_)) {  // a producer that was not sure
      file.Write(line + "\n");
      truth.Duplicate(kSource);
    }
  }

  // Half of the fleet has firmware that sends numbers as text.
  std::string Number(std::string_view name, double value, int digits) const {
    return typed_ ? fmt::format(R"({{"key":"{}","value":{{"doubleValue":{:.{}f}}}}},)", name, value, digits)
                  : fmt::format(R"({{"key":"{}","value":{{"stringValue":"{:.{}f}"}}}},)", name, value, digits);
  }
  std::string FormatMessage(const DriveMinute& now, int64_t created) const {
    std::string data = Number("VehicleSpeed", now.speed, 1) + Number("Odometer", now.odometer, 3) +
                       Number("Soc", now.soc, 2) + Number("OutsideTemp", now.outside, 1) +
                       Number("DCChargingPower", now.charge_power, 1);
    return fmt::format(
        R"({{"data":[{}{{"key":"Location","value":{{"locationValue":{{"latitude":{:.6f},"longitude":{:.6f}}}}}}},)"
        R"({{"key":"Gear","value":{{"shiftStateValue":"ShiftState{}"}}}},)"
        R"({{"key":"DetailedChargeState","value":{{"detailedChargeStateValue":"DetailedChargeState{}"}}}},)"
        R"({{"key":"VehicleName","value":{{"stringValue":"Car {}"}}}},{{"key":"Version","value":{{"stringValue":"{}"}}}}],)"
        R"("createdAt":"{}","vin":"{}","isResend":false}})",
        data, now.place.latitude, now.place.longitude, now.drives ? "D" : "P",
        now.charge == std::string_view("Idle") ? "Disconnected" : now.charge, number_, version_,
        IsoMilliseconds(created), vin_);
  }
  std::string FormatAlert(const DriveMinute& now, int64_t created) const {
    return fmt::format(
        R"({{"alerts":[{{"name":"{}","audiences":["Customer"],"startedAt":"{}","endedAt":null}}],"createdAt":"{}","vin":"{}"}})",
        now.alert, IsoMilliseconds(created - kWorldSecond), IsoMilliseconds(created), vin_);
  }

  const int number_;
  const double noise_;
  WorldRng rng_;
  Drive drive_;
  std::string vin_;
  std::string version_;
  int64_t skew_ = 0;
  int64_t phase_ = 0;
  bool typed_ = true;
  int64_t rows_ = 0;
};

absl::Status WritePartition(const WorldSettings& settings, const WorldMap& map, const EventPlan& plan, int partition,
                            Truth& truth, WorldReport& report, RunContext& context) {
  const int first = partition * kPerPartition;
  std::vector<std::unique_ptr<Car>> cars;
  for (int number = first; number < std::min(first + kPerPartition, settings.dishes); ++number) {
    cars.push_back(std::make_unique<Car>(settings, map, plan, number));
  }
  const std::string path = fmt::format("vehicles/tesla_V-{:02}.jsonl", partition);
  const std::string alert_path = fmt::format("vehicles/tesla_alerts-{:02}.jsonl", partition);
  ASSIGN_OR_RETURN(auto file, WorldFile::Create(settings.directory + "/" + path));
  ASSIGN_OR_RETURN(auto alerts, WorldFile::Create(settings.directory + "/" + alert_path));
  const int64_t minutes = int64_t{settings.hours} * 60;
  for (int64_t minute = 0; minute < minutes; ++minute) {
    if (minute % 60 == 0) RETURN_IF_ERROR(context.CheckCancelled());
    for (const auto& car : cars) {
      if (!car->has_teslafi()) {
        car->Telemetry(kWorldStart + minute * kWorldMinute, path, *file, alert_path, *alerts, truth);
      }
    }
  }
  for (const auto& car : cars) {
    if (!car->has_teslafi()) continue;
    const std::string own = fmt::format("teslafi/{}.csv", car->vin());
    ASSIGN_OR_RETURN(auto rows, WorldFile::Create(settings.directory + "/" + own));
    rows->Write(kTeslaFiHeader);
    for (int64_t minute = 0; minute < minutes; ++minute) {
      car->Row(kWorldStart + minute * kWorldMinute, own, *rows, truth);
    }
    RETURN_IF_ERROR(rows->Close());
    report.bytes += rows->bytes();
  }
  RETURN_IF_ERROR(file->Close());
  RETURN_IF_ERROR(alerts->Close());
  report.bytes += file->bytes() + alerts->bytes();
  return absl::OkStatus();
}

}  // namespace

absl::Status WriteVehicles(const WorldSettings& settings, const WorldMap& map, const EventPlan& plan, Truth& truth,
                           WorldReport& report, RunContext& context) {
  const int partitions = (settings.dishes + kPerPartition - 1) / kPerPartition;
  context.progress->Begin("world: vehicles", static_cast<uint64_t>(settings.dishes), "vehicles");
  for (int partition = 0; partition < partitions; ++partition) {
    RETURN_IF_ERROR(WritePartition(settings, map, plan, partition, truth, report, context));
    context.progress->Update(static_cast<uint64_t>(std::min((partition + 1) * kPerPartition, settings.dishes)), "");
  }
  context.progress->End();
  return absl::OkStatus();
}

}  // namespace rhodes
