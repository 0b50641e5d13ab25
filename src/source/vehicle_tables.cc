#include "source/vehicle_tables.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/text.h"
#include "source/delimited.h"
#include "source/json_document.h"
#include "source/row_builder.h"
#include "source/time.h"
#include "source/time_zone.h"

namespace rhodes {
namespace {

struct Unit {
  std::string_view name;
  std::string_view unit;
};

template <size_t kCount>
std::string_view UnitOf(const std::array<Unit, kCount>& units, std::string_view name) {
  for (const Unit& entry : units) {
    if (entry.name == name) return entry.unit;
  }
  return {};
}

bool IsIn(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// A cell that is a coordinate; out of range or no number: nothing.
std::optional<double> Coordinate(std::string_view cell, double limit) {
  const std::optional<double> number = ParseNumber(cell);
  return number && std::fabs(*number) <= limit ? number : std::nullopt;
}

// Both or neither.
bool SetPlace(std::string_view latitude, std::string_view longitude, Record& record) {
  const std::optional<double> north = Coordinate(latitude, 90);
  const std::optional<double> east = Coordinate(longitude, 180);
  if (!north || !east) return false;
  record.latitude = north;
  record.longitude = east;
  return true;
}

void AddCell(std::string_view name, std::string_view cell, std::string_view unit, Record& record) {
  if (cell.empty() || cell == "None") return;
  if (const std::optional<double> number = ParseNumber(cell); number && std::fabs(*number) < 9007199254740992.0) {
    record.channels.emplace_back(name, *number);
    if (!unit.empty()) record.units.emplace_back(name, unit);
  } else {
    record.fields.emplace_back(name, cell);
  }
}

// TeslaFi ------------------------------------------------------------------------------------------------------------

constexpr std::array kTeslaFiUnits = std::to_array<Unit>({{"battery_range", "mi"},
                                                          {"est_battery_range", "mi"},
                                                          {"ideal_battery_range", "mi"},
                                                          {"odometer", "mi"},
                                                          {"charge_rate", "mi/h"},
                                                          {"speed", "mi/h"},
                                                          {"battery_level", "%"},
                                                          {"usable_battery_level", "%"},
                                                          {"charge_limit_soc", "%"},
                                                          {"charger_power", "kW"},
                                                          {"power", "kW"},
                                                          {"charger_voltage", "V"},
                                                          {"charger_actual_current", "A"},
                                                          {"battery_current", "A"},
                                                          {"charger_pilot_current", "A"},
                                                          {"charge_energy_added", "kWh"},
                                                          {"time_to_full_charge", "h"},
                                                          {"inside_temp", "degC"},
                                                          {"outside_temp", "degC"},
                                                          {"driver_temp_setting", "degC"},
                                                          {"passenger_temp_setting", "degC"},
                                                          {"heading", "deg"}});

class TeslaFiState final : public FileState {
 public:
  std::shared_ptr<const TimeZone> zone;
  std::string problem;  // of the zone's name
  // Where in the file the clock was put back: the offset of the first row whose time is before the one above it.
  uint64_t put_back = std::numeric_limits<uint64_t>::max();
  bool was_put_back = false;
};

class TeslaFi final : public TableFormat {
 public:
  std::string_view name() const override { return "teslafi"; }

 protected:
  std::string_view reader() const override { return "teslafi/1"; }

  int DetectTable(std::string_view /*path*/, const std::vector<std::string>& names,
                  const std::vector<std::string>& /*first*/) const override {
    const auto has = [&](std::string_view name) { return std::find(names.begin(), names.end(), name) != names.end(); };
    return has("Date") && has("vin") && has("shift_state") && has("battery_level") && has("odometer") ? 92 : 0;
  }

  std::unique_ptr<FileState> PrepareTable(std::string_view head, const FileState& table,
                                          const ReadOptions& options) const override {
    auto state = std::make_unique<TeslaFiState>();
    if (options.time_zone.empty()) return state;
    absl::StatusOr<std::shared_ptr<const TimeZone>> zone = TimeZone::Find(options.time_zone);
    if (!zone.ok()) {
      state->problem = Message(zone.status());
      return state;
    }
    state->zone = *std::move(zone);
    // Rows are a minute apart and in order, so an hour that the clock showed twice begins where it goes back.
    int64_t before = std::numeric_limits<int64_t>::min();
    ForEachRow(Block{"", head, 0, 0, &table}, options, [&](const TableRow& row) {
      if (!row.problem.empty() || state->was_put_back) return;
      const std::optional<Instant> instant = ParseInstant(row.Cell("Date"));
      if (!instant) return;
      if (instant->time < before && state->zone->LocalToUtc(instant->time).kind == TimeZone::kAmbiguous) {
        state->put_back = row.begin;
        state->was_put_back = true;
      }
      before = instant->time;
    });
    return state;
  }

  std::string ReadRow(const TableRow& row, uint64_t offset, const ReadOptions& /*options*/,
                      Record& record) const override {
    const auto& state = static_cast<const TeslaFiState&>(*row.extra);
    if (!state.problem.empty()) return state.problem;
    const std::string_view date = row.Cell("Date");
    if (date.empty()) return "no row of TeslaFi: it has no Date";
    record.kind = "teslafi";
    record.author = row.Cell("vin");
    if (record.author == "None") record.author.clear();
    std::string reason = SetTime(date, state, offset, record);
    if (!reason.empty()) return reason;
    const bool placed = SetPlace(row.Cell("latitude"), row.Cell("longitude"), record);
    for (size_t i = 0; i < row.names->size(); ++i) {
      const std::string& name = (*row.names)[i];
      const std::string_view cell = Trim((*row.cells)[i]);
      if (IsIn(name, {"Date", "vin", "tokens", "backseat_token"}) ||
          (placed && IsIn(name, {"latitude", "longitude"}))) {
        continue;
      }
      if (IsIn(name, {"id", "id_s", "vehicle_id", "data_id", "display_name", "latitude", "longitude"})) {
        if (!cell.empty() && cell != "None") record.fields.emplace_back(name, cell);
        continue;
      }
      AddCell(name, cell, UnitOf(kTeslaFiUnits, name), record);
    }
    return "";
  }

 private:
  // The Date as written stays in fields where it gives no time.
  static std::string SetTime(std::string_view date, const TeslaFiState& state, uint64_t offset, Record& record) {
    const std::optional<Instant> instant = ParseInstant(date);
    if (!instant || state.zone == nullptr) {
      record.fields.emplace_back("Date", date);
      return "";
    }
    const TimeZone::Instants moments = state.zone->LocalToUtc(instant->time);
    if (moments.kind == TimeZone::kSkipped) {
      return fmt::format("Date \"{}\": the clocks of this time zone never showed it", date);
    }
    if (moments.kind == TimeZone::kAmbiguous && !state.was_put_back) {
      record.fields.emplace_back("Date", date);  // shown twice, and the rows do not tell which
      return "";
    }
    record.time = offset < state.put_back ? moments.first : moments.second;
    record.time_precision = instant->precision;
    return "";
  }
};

// TeslaMate ----------------------------------------------------------------------------------------------------------

constexpr std::array kTeslaMateUnits = std::to_array<Unit>({{"speed", "km/h"},
                                                            {"speed_max", "km/h"},
                                                            {"power", "kW"},
                                                            {"power_max", "kW"},
                                                            {"power_min", "kW"},
                                                            {"odometer", "km"},
                                                            {"distance", "km"},
                                                            {"start_km", "km"},
                                                            {"end_km", "km"},
                                                            {"duration_min", "min"},
                                                            {"ideal_battery_range_km", "km"},
                                                            {"est_battery_range_km", "km"},
                                                            {"rated_battery_range_km", "km"},
                                                            {"battery_level", "%"},
                                                            {"usable_battery_level", "%"},
                                                            {"inside_temp", "degC"},
                                                            {"outside_temp", "degC"},
                                                            {"inside_temp_avg", "degC"},
                                                            {"outside_temp_avg", "degC"},
                                                            {"elevation", "m"},
                                                            {"tpms_pressure_fl", "bar"},
                                                            {"tpms_pressure_fr", "bar"},
                                                            {"tpms_pressure_rl", "bar"},
                                                            {"tpms_pressure_rr", "bar"},
                                                            {"charge_energy_added", "kWh"},
                                                            {"charge_energy_used", "kWh"},
                                                            {"charger_power", "kW"},
                                                            {"charger_voltage", "V"},
                                                            {"charger_actual_current", "A"},
                                                            {"charger_pilot_current", "A"}});

// The table that columns are of, and the column that is the record's time.
struct TeslaMateTable {
  const char* kind;
  const char* time;
  std::vector<std::string_view> columns;  // that tell it from the others
};
const std::vector<TeslaMateTable>& TeslaMateTables() {
  static const std::vector<TeslaMateTable> kTables = {
      {"position", "date", {"date", "latitude", "longitude", "odometer", "car_id"}},
      {"charge", "date", {"date", "charging_process_id", "charger_power"}},
      {"charging-process", "start_date", {"start_date", "charge_energy_added", "car_id"}},
      {"drive", "start_date", {"start_date", "end_date", "distance", "duration_min"}},
      {"state", "start_date", {"start_date", "end_date", "state", "car_id"}},
      {"update", "start_date", {"start_date", "version", "car_id"}},
      {"car", "inserted_at", {"vid", "vin", "eid"}},
  };
  return kTables;
}

const TeslaMateTable* TableOf(const std::vector<std::string>& names) {
  for (const TeslaMateTable& table : TeslaMateTables()) {
    const bool all = std::all_of(table.columns.begin(), table.columns.end(), [&](std::string_view column) {
      return std::find(names.begin(), names.end(), column) != names.end();
    });
    if (all) return &table;
  }
  return nullptr;
}

class TeslaMate final : public TableFormat {
 public:
  std::string_view name() const override { return "teslamate"; }

 protected:
  std::string_view reader() const override { return "teslamate/1"; }

  int DetectTable(std::string_view /*path*/, const std::vector<std::string>& names,
                  const std::vector<std::string>& /*first*/) const override {
    const TeslaMateTable* table = TableOf(names);
    return table == nullptr ? 0 : 91;
  }

  std::string ReadRow(const TableRow& row, uint64_t /*offset*/, const ReadOptions& /*options*/,
                      Record& record) const override {
    const TeslaMateTable* table = TableOf(*row.names);
    if (table == nullptr) return "none of TeslaMate's tables: the header is not one of theirs";
    record.kind = table->kind;
    const std::string_view date = row.Cell(table->time);
    if (const std::optional<Instant> instant = ParseInstant(date)) {
      record.time = instant->time;
      record.time_precision = instant->precision;
    } else if (!date.empty()) {
      return fmt::format("\"{}\" is no time: \"{}\"", table->time, date);
    }
    if (const std::string_view vin = row.Cell("vin"); !vin.empty()) {
      record.author = vin;
    } else if (const std::string_view car = row.Cell("car_id"); !car.empty()) {
      record.author = fmt::format("car {}", car);
    }
    const bool placed = SetPlace(row.Cell("latitude"), row.Cell("longitude"), record);
    for (size_t i = 0; i < row.names->size(); ++i) {
      const std::string& name = (*row.names)[i];
      const std::string_view cell = Trim((*row.cells)[i]);
      const bool done =
          (name == table->time && record.time) || name == "vin" || (placed && IsIn(name, {"latitude", "longitude"}));
      if (done || cell.empty()) continue;
      if (name == "id" || name.ends_with("_id") || name == "version" || name == "name" || name == "eid" ||
          name == "vid") {
        record.fields.emplace_back(name, cell);
      } else {
        AddCell(name, cell, UnitOf(kTeslaMateUnits, name), record);
      }
    }
    return "";
  }
};

// OBD-II -------------------------------------------------------------------------------------------------------------

// Units as loggers write them behind numbers and names, and as they are called here.
struct Spelling {
  std::string_view written;
  std::string_view unit;
};
constexpr std::array kSpellings = std::to_array<Spelling>({{"km/h", "km/h"},
                                                           {"kmh", "km/h"},
                                                           {"kph", "km/h"},
                                                           {"mph", "mi/h"},
                                                           {"rpm", "r/min"},
                                                           {"%", "%"},
                                                           {"kpa", "kPa"},
                                                           {"psi", "psi"},
                                                           {"bar", "bar"},
                                                           {"c", "degC"},
                                                           {"\xC2\xB0"
                                                            "c",
                                                            "degC"},
                                                           {"degc", "degC"},
                                                           {"f", "degF"},
                                                           {"\xC2\xB0"
                                                            "f",
                                                            "degF"},
                                                           {"g/s", "g/s"},
                                                           {"v", "V"},
                                                           {"volt", "V"},
                                                           {"a", "A"},
                                                           {"m", "m"},
                                                           {"km", "km"},
                                                           {"mi", "mi"},
                                                           {"s", "s"},
                                                           {"sec", "s"},
                                                           {"min", "min"},
                                                           {"ms", "ms"},
                                                           {"deg", "deg"},
                                                           {"\xC2\xB0", "deg"},
                                                           {"l/h", "L/h"},
                                                           {"l/100km", "L/100km"},
                                                           {"nm", "N.m"},
                                                           {"kw", "kW"},
                                                           {"hp", "hp"},
                                                           {"g", "g"},
                                                           {"ma", "mA"},
                                                           {"l", "L"},
                                                           {"gal", "gal"}});

std::optional<std::string_view> UnitOfSpelling(std::string_view text) {
  const std::string lower = LowerAscii(Trim(text));
  for (const Spelling& spelling : kSpellings) {
    if (lower == spelling.written) return spelling.unit;
  }
  return std::nullopt;
}

struct Measure {
  double value = 0;
  std::string_view unit;
};
// "48km/h", "74,50%", "13.2V", "-1,6 C", "2124". A comma is a decimal point when it is the only one and no point
// stands beside it. "1,51336E+12" and "-58.321.307", which a spreadsheet has spoilt, are no measures.
std::optional<Measure> ParseMeasure(std::string_view cell) {
  cell = Trim(cell);
  const size_t end = std::min(cell.find_first_not_of("+-0123456789.,"), cell.size());
  std::string digits(cell.substr(0, end));
  const auto commas = std::count(digits.begin(), digits.end(), ',');
  const auto points = std::count(digits.begin(), digits.end(), '.');
  if (commas + points > 1) return std::nullopt;
  std::replace(digits.begin(), digits.end(), ',', '.');
  if (digits.starts_with('+')) digits.erase(0, 1);
  std::string_view rest = cell.substr(end);
  if (end < cell.size() && (cell[end] == 'e' || cell[end] == 'E') && commas == 0) {  // 2.5e-3
    if (const std::optional<double> number = ParseNumber(cell)) return Measure{*number, {}};
  }
  const std::optional<double> number = ParseNumber(digits);
  if (!number) return std::nullopt;
  if (Trim(rest).empty()) return Measure{*number, {}};
  const std::optional<std::string_view> unit = UnitOfSpelling(rest);
  return unit ? std::optional(Measure{*number, *unit}) : std::nullopt;
}

// "VEHICLE_SPEED (km/h)" and "Speed [km/h]" are their names without the unit, and the unit; "RPM ()" has none.
struct NamedUnit {
  std::string name;
  std::string unit;
};
NamedUnit SplitName(std::string_view name) {
  for (const std::string_view brackets : {"()", "[]"}) {
    if (!name.ends_with(brackets[1])) continue;
    const size_t open = name.rfind(brackets[0]);
    if (open == std::string_view::npos || open == 0) continue;
    const std::string_view inside = Trim(name.substr(open + 1, name.size() - open - 2));
    const std::optional<std::string_view> unit = UnitOfSpelling(inside);
    if (!inside.empty() && !unit) continue;
    return {std::string(Trim(name.substr(0, open))), std::string(unit.value_or(""))};
  }
  return {std::string(name), ""};
}

class ObdState final : public FileState {
 public:
  enum class Use { kChannel, kTime, kLatitude, kLongitude, kDevice, kText };
  struct Column {
    std::string name;
    std::string unit;
    Use use = Use::kChannel;
  };
  std::vector<Column> columns;
  std::shared_ptr<const TimeZone> zone;  // of times that state none; null: UTC
};

class ObdCsv final : public TableFormat {
 public:
  std::string_view name() const override { return "obd-csv"; }

 protected:
  std::string_view reader() const override { return "obd-csv/1"; }

  int DetectTable(std::string_view /*path*/, const std::vector<std::string>& names,
                  const std::vector<std::string>& /*first*/) const override {
    int signals = 0;
    for (const std::string& name : names) {
      const std::string lower = LowerAscii(name);
      for (const std::string_view word :
           {"rpm", "coolant", "engine_load", "engine load", "throttle", "fuel_trim", "fuel trim", "intake", "maf",
            "timing_advance", "timing advance", "vehicle_speed", "vehicle speed"}) {
        if (lower.find(word) == std::string::npos) continue;
        ++signals;
        break;
      }
    }
    return signals >= 3 ? 88 : 0;
  }

  std::unique_ptr<FileState> PrepareTable(std::string_view head, const FileState& table,
                                          const ReadOptions& options) const override {
    auto state = std::make_unique<ObdState>();
    state->zone = ZoneOrUtc(options.time_zone);
    ForEachRow(Block{"", head.substr(0, std::min<size_t>(head.size(), 1 << 16)), 0, 0, &table}, options,
               [&](const TableRow& row) {
                 if (!state->columns.empty()) return;
                 for (const std::string& name : *row.names) state->columns.push_back(ColumnOf(name, options.columns));
               });
    return state;
  }

  std::string ReadRow(const TableRow& row, uint64_t /*offset*/, const ReadOptions& /*options*/,
                      Record& record) const override {
    using Use = ObdState::Use;
    const auto& state = static_cast<const ObdState&>(*row.extra);
    record.kind = "obd";
    std::string_view latitude;
    std::string_view longitude;
    for (size_t i = 0; i < state.columns.size() && i < row.cells->size(); ++i) {
      const ObdState::Column& column = state.columns[i];
      const std::string_view cell = Trim((*row.cells)[i]);
      if (cell.empty()) continue;
      switch (column.use) {
        case Use::kTime:
          ReadTime(column, state.zone.get(), cell, record);
          break;
        case Use::kLatitude:
          latitude = cell;
          break;
        case Use::kLongitude:
          longitude = cell;
          break;
        case Use::kDevice:
          record.author = cell;
          break;
        case Use::kText:
          record.fields.emplace_back(column.name, cell);
          break;
        case Use::kChannel:
          ReadChannel(column, cell, record);
          break;
      }
    }
    if (!SetPlace(latitude, longitude, record)) {
      if (!latitude.empty()) record.fields.emplace_back("latitude", latitude);
      if (!longitude.empty()) record.fields.emplace_back("longitude", longitude);
    }
    if (record.channels.empty() && record.fields.empty() && !record.time && !record.latitude)
      return "a row without any value";
    return "";
  }

 private:
  static ObdState::Column ColumnOf(const std::string& name, const ColumnMap& map) {
    using Use = ObdState::Use;
    const NamedUnit split = SplitName(name);
    ObdState::Column column{split.name, split.unit, Use::kChannel};
    for (const ChannelColumn& channel : map.channels) {
      if (channel.field != name && channel.field != split.name) continue;
      if (!channel.name.empty()) column.name = channel.name;
      if (!channel.unit.empty()) column.unit = channel.unit;
      return column;
    }
    const auto mapped = [&](const std::string& field, Use use, std::initializer_list<std::string_view> usual) {
      const std::string lower = LowerAscii(split.name);
      if (field.empty() ? IsIn(lower, usual) : field == name || field == split.name) column.use = use;
    };
    mapped(map.time, Use::kTime,
           {"time", "timestamp", "date", "datetime", "gps time", "device time", "gps_time", "device_time"});
    mapped(map.latitude, Use::kLatitude, {"latitude", "lat", "gps_latitude"});
    mapped(map.longitude, Use::kLongitude, {"longitude", "lon", "lng", "gps_longitude"});
    mapped(map.author, Use::kDevice, {"vehicle_id", "vin", "device", "device_id", "car_id", "car"});
    if (IsIn(LowerAscii(split.name), {"dtc_number", "trouble_codes", "fuel_type", "id"})) column.use = Use::kText;
    return column;
  }

  static void ReadTime(const ObdState::Column& column, const TimeZone* zone, std::string_view cell, Record& record) {
    if (const std::optional<Instant> instant = ParseInstantIn(cell, zone)) {
      record.time = instant->time;
      record.time_precision = instant->precision;
    } else {
      ReadChannel(column, cell, record);  // seconds since the start, or what a spreadsheet has left of a date
    }
  }

  static void ReadChannel(const ObdState::Column& column, std::string_view cell, Record& record) {
    const std::optional<Measure> measure = ParseMeasure(cell);
    if (!measure) {
      record.fields.emplace_back(column.name, cell);
      return;
    }
    record.channels.emplace_back(column.name, measure->value);
    const std::string_view unit = measure->unit.empty() ? std::string_view(column.unit) : measure->unit;
    if (!unit.empty()) record.units.emplace_back(column.name, unit);
  }
};

}  // namespace

const Format& TeslaFiFormat() {
  static const TeslaFi format;
  return format;
}

const Format& TeslaMateFormat() {
  static const TeslaMate format;
  return format;
}

const Format& ObdCsvFormat() {
  static const ObdCsv format;
  return format;
}

}  // namespace rhodes
