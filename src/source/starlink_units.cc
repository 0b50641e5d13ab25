#include "source/starlink_units.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/status.h"
#include "base/text.h"
#include "source/row_builder.h"

namespace rhodes {
namespace {

constexpr double kExactInteger = 9007199254740992.0;  // 2^53

struct NamedUnit {
  std::string_view name;  // plain
  std::string_view unit;
};
constexpr std::array<NamedUnit, 34> kUnits = {{{"poppingdroprate", "1"},
                                               {"fractionobstructed", "1"},
                                               {"timeobstructed", "1"},
                                               {"softwareupdateprogress", "1"},
                                               {"wedgesfractionobstructed", "1"},
                                               {"rawwedgesfractionobstructed", "1"},
                                               {"runseconds", ""},  // counts of runs by length
                                               {"runminutes", ""},
                                               {"uptime", "s"},
                                               {"secondstofirstnonemptyslot", "s"},
                                               {"secondsobstructed", "s"},
                                               {"obstructionduration", "s"},
                                               {"obstructioninterval", "s"},
                                               {"directionazimuth", "deg"},
                                               {"directionelevation", "deg"},
                                               {"latitude", "deg"},
                                               {"longitude", "deg"},
                                               {"lat", "deg"},
                                               {"lon", "deg"},
                                               {"altitude", "m"},
                                               {"alt", "m"},
                                               {"sigmam", "m"},
                                               {"powerin", "W"},
                                               {"powerw", "W"},
                                               {"latestpower", "W"},
                                               {"meanpower", "W"},
                                               {"minpower", "W"},
                                               {"maxpower", "W"},
                                               {"totalenergy", "kW.h"},
                                               {"downloadusage", "By"},
                                               {"uploadusage", "By"},
                                               {"totalpingdrop", "s"},
                                               {"totalobstructedpingdrop", "s"},
                                               {"totalunscheduledpingdrop", "s"}}};

struct Ending {
  std::string_view camel;
  std::string_view snake;
  std::string_view unit;
};
constexpr std::array<Ending, 9> kEndings = {{{"Mbps", "_mbps", "Mbit/s"},
                                             {"Bps", "_bps", "bit/s"},
                                             {"Ms", "_ms", "ms"},
                                             {"Ns", "_ns", "ns"},
                                             {"Deg", "_deg", "deg"},
                                             {"Minutes", "_minutes", "min"},
                                             {"Seconds", "_seconds", "s"},
                                             {"Celsius", "_celsius", "degC"},
                                             {"latency", "_latency", "ms"}}};

constexpr std::array<std::string_view, 22> kAlerts = {"motors_stuck",
                                                      "thermal_shutdown",
                                                      "thermal_throttle",
                                                      "unexpected_location",
                                                      "mast_not_near_vertical",
                                                      "slow_ethernet_speeds",
                                                      "roaming",
                                                      "install_pending",
                                                      "is_heating",
                                                      "power_supply_thermal_throttle",
                                                      "is_power_save_idle",
                                                      "moving_while_not_mobile",
                                                      "moving_fast_while_not_aviation",
                                                      "dbf_telem_stale",
                                                      "moving_too_fast_for_policy",
                                                      "low_motor_current",
                                                      "lower_signal_than_predicted",
                                                      "slow_ethernet_speeds_100",
                                                      "obstruction_map_reset",
                                                      "dish_water_detected",
                                                      "router_water_detected",
                                                      "upsu_router_port_slow"};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// "deciles_all_ping_latency_3" without the number of the array's element.
std::string_view WithoutIndex(std::string_view name) {
  size_t end = name.size();
  while (end > 0 && IsDigit(name[end - 1])) --end;
  return end < name.size() && end > 1 && name[end - 1] == '_' ? name.substr(0, end - 1) : name;
}

std::string_view LastComponent(std::string_view name) { return name.substr(name.rfind('.') + 1); }

// Names whose values are names too, whatever they look like.
bool IsName(std::string_view name) {
  if (name.ends_with("Id") || name.ends_with("_id")) return true;
  const std::string plain = PlainName(name);
  return plain == "id" || plain == "countrycode" || plain == "partnumber" || plain == "serialnumber" ||
         plain.ends_with("version") || plain.ends_with("hash");
}

}  // namespace

std::string PlainName(std::string_view name) {
  std::string plain = LowerAscii(LastComponent(name));
  plain.erase(std::remove(plain.begin(), plain.end(), '_'), plain.end());
  return plain;
}

std::string_view DishUnit(std::string_view name) {
  const std::string_view last = WithoutIndex(LastComponent(name));
  const std::string plain = PlainName(last);
  for (const NamedUnit& known : kUnits) {
    if (plain == known.name) return known.unit;
  }
  for (const Ending& ending : kEndings) {
    if (last.ends_with(ending.camel) || last.ends_with(ending.snake)) return ending.unit;
  }
  // uptimeS, valid_s
  const bool camel =
      last.size() > 1 && last.ends_with('S') && last[last.size() - 2] >= 'a' && last[last.size() - 2] <= 'z';
  if (camel || last.ends_with("_s")) return "s";
  if (last.size() < name.size()) {  // initializationDurationSeconds.rfReady
    const std::string_view parent = LastComponent(name.substr(0, name.size() - LastComponent(name).size() - 1));
    if (parent.ends_with("Seconds") || parent.ends_with("_seconds")) return "s";
  }
  return "";
}

void AddDishNumber(std::string_view name, double number, Record& record) {
  if (!std::isfinite(number)) return;
  if (number == -1 && PlainName(name) == "poppinglatencyms") return;
  record.channels.emplace_back(name, number);
  if (const std::string_view unit = DishUnit(name); !unit.empty()) record.units.emplace_back(name, unit);
}

void AddDishText(std::string_view name, std::string_view text, Record& record) {
  const std::string_view word = Trim(text);
  const std::string lower = LowerAscii(word);
  if (lower == "nan" || lower == "infinity" || lower == "-infinity" || lower == "inf" || lower == "-inf" ||
      word == "None" || word.empty()) {
    return;
  }
  const std::optional<double> number = IsName(name) ? std::nullopt : ParseNumber(word);
  const bool exact =
      number && (std::fabs(*number) < kExactInteger || word.find_first_of(".eE") != std::string_view::npos);
  if (exact) return AddDishNumber(name, *number, record);
  record.fields.emplace_back(name, text);
}

std::string AlertsOfMask(uint64_t mask) {
  std::string names;
  for (size_t bit = 0; bit < 64; ++bit) {
    if ((mask >> bit & 1) == 0) continue;
    if (!names.empty()) names += ',';
    names += bit < kAlerts.size() ? std::string(kAlerts[bit]) : fmt::format("bit_{}", bit);
  }
  return names;
}

}  // namespace rhodes
