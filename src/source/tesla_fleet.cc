#include "source/tesla_fleet.h"

#include <array>
#include <cmath>

#include "base/text.h"
#include "source/json_records.h"
#include "source/time.h"
#include "source/x_text.h"

namespace rhodes {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

struct Unit {
  std::string_view ending;
  std::string_view unit;
};
// By the end of a name, as Tesla's documentation gives them. What a driver's display shows (gui_settings) changes none
// of these.
constexpr std::array kUnits = std::to_array<Unit>({{".battery_range", "mi"},
                                                   {".est_battery_range", "mi"},
                                                   {".ideal_battery_range", "mi"},
                                                   {".charge_rate", "mi/h"},
                                                   {".speed", "mi/h"},
                                                   {".odometer", "mi"},
                                                   {"_miles_to_arrival", "mi"},
                                                   {"_minutes_to_arrival", "min"},
                                                   {"_traffic_minutes_delay", "min"},
                                                   {".minutes_to_full_charge", "min"},
                                                   {".time_to_full_charge", "h"},
                                                   {".battery_level", "%"},
                                                   {".usable_battery_level", "%"},
                                                   {".charge_limit_soc", "%"},
                                                   {".charger_power", "kW"},
                                                   {".power", "kW"},
                                                   {".charger_voltage", "V"},
                                                   {".charger_actual_current", "A"},
                                                   {".charge_amps", "A"},
                                                   {".charge_energy_added", "kWh"},
                                                   {"side_temp", "degC"},
                                                   {"temp_setting", "degC"},
                                                   {".tpms_pressure_fl", "bar"},
                                                   {".tpms_pressure_fr", "bar"},
                                                   {".tpms_pressure_rl", "bar"},
                                                   {".tpms_pressure_rr", "bar"},
                                                   {".heading", "deg"}});

bool IsNumberOf(std::string_view name, std::string_view wanted) {
  return name == wanted || name.ends_with("." + std::string(wanted));
}

// Identifiers are numbers by accident, and tokens are nobody's business.
bool IsIdentifier(std::string_view name) {
  for (const std::string_view id : {"id", "id_s", "user_id", "vehicle_id"}) {
    if (IsNumberOf(name, id)) return true;
  }
  return false;
}

class TeslaFleet final : public JsonRecordsFormat {
 public:
  std::string_view name() const override { return "tesla-fleet"; }

  int Detect(std::string_view /*path*/, std::string_view head) const override {
    const auto has = [&](std::string_view key) { return head.find(key) != std::string_view::npos; };
    const std::string_view text = Trim(head.substr(0, 64));
    if (!text.starts_with('{') && !text.starts_with('[')) return 0;
    const bool blocks = has("\"charge_state\"") || has("\"drive_state\"") || has("\"vehicle_state\"");
    return blocks && (has("\"vin\"") || has("\"vehicle_id\"")) ? 93 : 0;
  }

 protected:
  std::string_view reader() const override { return "tesla-fleet/1"; }

  std::string ReadObject(object json, const Place& place, const ReadOptions& options, ParsedBlock& out) const override {
    object answer = json;
    element response;
    if (json["response"].get(response) == simdjson::SUCCESS) {
      if (response.get(answer) != simdjson::SUCCESS) {
        element error;
        return json["error"].get(error) == simdjson::SUCCESS && !error.is_null()
                   ? fmt::format("no vehicle data: the API answered \"{}\"", TextOf(error))
                   : "no vehicle data: \"response\" is not an object";
      }
    }
    element vin;
    element vehicle;
    if (answer["vin"].get(vin) != simdjson::SUCCESS && answer["vehicle_id"].get(vehicle) != simdjson::SUCCESS) {
      return "no vehicle data: it names no vehicle";
    }
    Record record;
    record.kind = "vehicle-data";
    if (answer["vin"].get(vin) == simdjson::SUCCESS) record.author = TextOf(vin);
    for (const auto member : answer) {
      if (member.key == "tokens" || member.key == "backseat_token") continue;
      Flatten(member.value, std::string(member.key), false, record);
    }
    Tidy(record);
    ReadPlace(answer, record);
    ReadTime(answer, record);
    Add(std::move(record), place, options, out);
    return "";
  }

 private:
  static void Tidy(Record& record) {
    std::erase_if(record.channels, [&](const auto& channel) {
      if (!IsIdentifier(channel.first)) return false;
      record.fields.emplace_back(channel.first, fmt::format("{:.0f}", channel.second));
      return true;
    });
    std::erase_if(record.fields, [](const auto& field) { return field.second == "<invalid>"; });
    for (const auto& [name, value] : record.channels) {
      for (const Unit& unit : kUnits) {
        if (name.ends_with(unit.ending)) record.units.emplace_back(name, unit.unit);
      }
    }
  }

  static void ReadPlace(object answer, Record& record) {
    element drive;
    if (answer["drive_state"].get(drive) != simdjson::SUCCESS) return;
    element latitude;
    element longitude;
    if (drive["latitude"].get(latitude) != simdjson::SUCCESS ||
        drive["longitude"].get(longitude) != simdjson::SUCCESS) {
      return;
    }
    const std::optional<double> north = NumberOf(latitude);
    const std::optional<double> east = NumberOf(longitude);
    if (!north || !east || std::fabs(*north) > 90 || std::fabs(*east) > 180) return;
    record.latitude = north;
    record.longitude = east;
  }

  // The blocks' timestamps are milliseconds, whatever the other times beside them are.
  static void ReadTime(object answer, Record& record) {
    int64_t newest = 0;
    for (const auto member : answer) {
      element timestamp;
      if (!member.value.is_object() || member.value["timestamp"].get(timestamp) != simdjson::SUCCESS) continue;
      const std::optional<double> milliseconds = NumberOf(timestamp);
      if (milliseconds && *milliseconds > 1e11 && *milliseconds < 2.5e14) {
        newest = std::max(newest, static_cast<int64_t>(*milliseconds));
      }
    }
    if (newest == 0) return;
    record.time = newest * 1000;
    record.time_precision = TimePrecision::kMillisecond;
  }
};

}  // namespace

const Format& TeslaFleetFormat() {
  static const TeslaFleet format;
  return format;
}

}  // namespace rhodes
