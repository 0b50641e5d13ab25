#include "source/starlink_answer.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "source/gps_time.h"
#include "source/json_document.h"
#include "source/row_builder.h"
#include "source/starlink_log.h"
#include "source/starlink_units.h"

namespace rhodes {
namespace {

constexpr std::string_view kReader = "starlink/1";
constexpr size_t kSniffBytes = 16 << 10;

using Kind = DishAnswer::Kind;

struct Call {
  std::string_view plain;
  Kind kind;
};
constexpr std::array<Call, 7> kCalls = {{{"dishgetstatus", Kind::kStatus},
                                         {"dishgethistory", Kind::kHistory},
                                         {"dishgetobstructionmap", Kind::kMap},
                                         {"getlocation", Kind::kLocation},
                                         {"dishgetdiagnostics", Kind::kOther},
                                         {"dishgetcontext", Kind::kOther},
                                         {"getdeviceinfo", Kind::kOther}}};

const Call* FindCall(std::string_view key) {
  if (key.find('.') != std::string_view::npos) return nullptr;
  const std::string plain = PlainName(key);
  for (const Call& call : kCalls) {
    if (plain == call.plain) return &call;
  }
  return nullptr;
}

bool IsTimeName(std::string_view key, const ReadOptions& options) {
  if (!options.columns.time.empty()) return key == options.columns.time;
  const std::string lower = LowerAscii(key);
  for (const std::string_view name : {"time", "timestamp", "@timestamp", "datetime", "date", "ts", "polled_at",
                                      "datetimestamp_utc", "created_at", "createdat"}) {
    if (lower == name) return true;
  }
  return false;
}

std::optional<Instant> TimeOfValue(simdjson::dom::element value, const ReadOptions& options) {
  if (value.is_number()) {
    const std::optional<double> number = NumberOf(value);
    return number ? InstantOfNumber(*number) : std::nullopt;
  }
  return value.is_string() ? LogTime(StringOf(value), options) : std::nullopt;
}

// A member of `object` by its plain name.
std::optional<simdjson::dom::element> Member(simdjson::dom::object object, std::string_view plain) {
  std::optional<simdjson::dom::element> found;
  for (const auto field : object) {
    if (PlainName(field.key) == plain) found = field.value;
  }
  return found;
}

std::optional<simdjson::dom::object> ObjectOf(std::optional<simdjson::dom::element> value) {
  simdjson::dom::object object;
  if (!value || value->get(object) != simdjson::SUCCESS) return std::nullopt;
  return object;
}

// What an answer without its call's name around it is.
std::optional<Kind> KindOfBareAnswer(simdjson::dom::object object) {
  const auto ping = Member(object, "poppingdroprate");
  if ((ping && ping->is_array()) || (Member(object, "current") && Member(object, "outages"))) return Kind::kHistory;
  if (ping && ping->is_number()) return Kind::kStatus;
  if (Member(object, "snr") && Member(object, "numrows")) return Kind::kMap;
  if (Member(object, "deviceinfo") || (Member(object, "hardwareversion") && Member(object, "uptime"))) {
    return Kind::kStatus;
  }
  const auto state = Member(object, "state");
  if (state && StringOf(*state) == "DISH_UNREACHABLE") return Kind::kStatus;
  for (const auto field : object) {  // the tools' MQTT message
    if (field.key.starts_with("dish_") && field.value.is_object() && FindCall(field.key) == nullptr) {
      return Kind::kGroups;
    }
  }
  return std::nullopt;
}

std::string DishOf(simdjson::dom::object answer) {
  if (const auto info = ObjectOf(Member(answer, "deviceinfo"))) {
    if (const auto id = Member(*info, "id")) return std::string(StringOf(*id));
  }
  if (const auto status = ObjectOf(Member(answer, "dishstatus"))) return DishOf(*status);
  const auto id = Member(answer, "id");
  return id && StringOf(*id).size() > 8 ? std::string(StringOf(*id)) : "";  // requests have small numbers as ids
}

void AddOutage(simdjson::dom::object outage, const std::string& name, Record& record) {
  for (const auto field : outage) {
    const std::string path = fmt::format("{}.{}", name, field.key);
    AddDishValues(field.value, path, record);
    if (PlainName(field.key) != "starttimestampns") continue;
    const std::optional<uint64_t> start = UnsignedOf(field.value);
    if (!start || *start == 0 || *start > INT64_MAX) continue;
    const absl::Time time = absl::FromUnixMicros(UnixOfGpsNanoseconds(static_cast<int64_t>(*start)));
    record.fields.emplace_back(name + ".start", absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", time, absl::UTCTimeZone()));
  }
}

void AddAlerts(simdjson::dom::object alerts, const std::string& name, Record& record) {
  std::string set;
  for (const auto field : alerts) {
    if (!field.value.is_bool()) {
      AddDishValues(field.value, fmt::format("{}.{}", name, field.key), record);
    } else if (bool(field.value)) {
      set += (set.empty() ? "" : ",") + std::string(field.key);
    }
  }
  if (!set.empty()) record.fields.emplace_back(name, set);
}

void AddLocation(simdjson::dom::element answer, Record& record) {
  simdjson::dom::object object;
  if (answer.get(object) != simdjson::SUCCESS) return;
  const auto place = ObjectOf(Member(object, "lla"));
  if (!place) return;
  const auto latitude = Member(*place, "lat");
  const auto longitude = Member(*place, "lon");
  const std::optional<double> north = latitude ? NumberOf(*latitude) : std::nullopt;
  const std::optional<double> east = longitude ? NumberOf(*longitude) : std::nullopt;
  if (!north || !east || *north < -90 || *north > 90 || *east < -180 || *east > 360) return;
  record.latitude = north;
  record.longitude = east;
}

}  // namespace

std::string FindDishAnswer(simdjson::dom::element root, const ReadOptions& options, DishAnswer& answer) {
  simdjson::dom::object document;
  if (root.get(document) != simdjson::SUCCESS) return "not a JSON object";
  bool found = false;
  for (const auto field : document) {
    const Call* call = FindCall(field.key);
    if (call == nullptr || !field.value.is_object()) continue;
    if (found) return fmt::format("two answers in one: {} and {}", answer.key, field.key);
    found = true;
    answer.kind = call->kind;
    answer.key = std::string(field.key);
    answer.value = field.value;
  }
  if (!found) {
    const std::optional<Kind> kind = KindOfBareAnswer(document);
    if (!kind) {
      std::string names;
      for (const auto field : document) names += fmt::format("{}{}", names.empty() ? "" : ", ", field.key);
      return fmt::format("no answer of a dish that is read: it has {}",
                         names.empty() ? "nothing" : names.substr(0, 200));
    }
    answer.kind = *kind;
    answer.value = root;
  }
  std::string dish = DishOf(simdjson::dom::object(answer.value));
  if (dish.empty()) dish = DishOf(document);
  if (!dish.empty()) answer.dish = std::move(dish);
  for (const auto field : document) {
    if (!answer.time && IsTimeName(field.key, options)) answer.time = TimeOfValue(field.value, options);
    if (found && field.key != answer.key && !field.value.is_null()) {
      answer.fields.emplace_back(field.key, TextOf(field.value));
    }
  }
  return "";
}

std::optional<DishAnswer::Kind> SniffDishAnswer(std::string_view head) {
  head = head.substr(0, kSniffBytes);
  if (head.starts_with("\xEF\xBB\xBF")) head.remove_prefix(3);
  head = Trim(head);
  // The first thing that is no line of a log: an object, in an array or not, or a log's line with one.
  const size_t brace = head.find('{');
  if (head.starts_with("starlink/dish_")) return Kind::kStatus;
  if (brace == std::string_view::npos) return std::nullopt;
  const std::string_view before = head.substr(0, brace);
  if (before.size() > 512 || before.find('<') != std::string_view::npos) return std::nullopt;
  std::string_view rest = head.substr(brace);
  std::optional<Kind> bare;
  for (size_t at = rest.find('"'); at != std::string_view::npos; at = rest.find('"', at + 1)) {
    const size_t end = rest.find('"', at + 1);
    if (end == std::string_view::npos) break;
    const size_t after = rest.find_first_not_of(" \t\r\n", end + 1);
    if (after == std::string_view::npos) break;
    const std::string_view name = rest.substr(at + 1, end - at - 1);
    at = end;
    if (rest[after] != ':') continue;
    if (const Call* call = FindCall(name)) return call->kind;
    const size_t value = rest.find_first_not_of(" \t\r\n", after + 1);
    const char first = value == std::string_view::npos ? '\0' : rest[value];
    const std::string plain = PlainName(name);
    if (name == "dish_status" && first == '{') return Kind::kGroups;
    if (bare) continue;
    if (plain == "poppingdroprate") bare = first == '[' ? Kind::kHistory : Kind::kStatus;
    if (plain == "numrows" && rest.find("\"snr\"") != std::string_view::npos) bare = Kind::kMap;
  }
  return bare;
}

void AddDishValues(simdjson::dom::element value, const std::string& name, Record& record) {
  using simdjson::dom::element_type;
  switch (value.type()) {
    case element_type::OBJECT: {
      const std::string plain = PlainName(name);
      if (plain == "alerts") return AddAlerts(value, name, record);
      if (plain == "outage") return AddOutage(value, name, record);
      for (const auto field : simdjson::dom::object(value)) {
        AddDishValues(field.value, name.empty() ? std::string(field.key) : fmt::format("{}.{}", name, field.key),
                      record);
      }
      return;
    }
    case element_type::INT64:
    case element_type::UINT64:
      if (PlainName(name) == "alerts" && UnsignedOf(value)) {
        if (std::string set = AlertsOfMask(*UnsignedOf(value)); !set.empty()) record.fields.emplace_back(name, set);
      }
      return AddDishText(name, TextOf(value), record);
    case element_type::DOUBLE:
      return AddDishNumber(name, value.get_double().value_unsafe(), record);
    case element_type::STRING:
      return AddDishText(name, StringOf(value), record);
    case element_type::BOOL:
    case element_type::ARRAY:
      record.fields.emplace_back(name, TextOf(value));
      return;
    case element_type::NULL_VALUE:
      return;
  }
}

void FrameDishRecord(const DishDocument& document, const DishAnswer& answer, size_t begin, size_t end, Record& record) {
  record.author = answer.dish;
  record.original = document.block.bytes.substr(begin, end - begin);
  record.origin = {std::string(document.block.path), document.block.begin + begin, document.block.begin + end};
}

void ReadDishStatus(const DishDocument& document, const DishAnswer& answer, ParsedBlock& out) {
  Record record;
  std::string kind = "dish-status";
  if (answer.kind == Kind::kGroups) {
    // {"dish_status": {...}, "dish_usage": {...}}: the status's own names, and those of the rest under its group's.
    kind = "dish-statistics";
    for (const auto field : simdjson::dom::object(answer.value)) {
      const bool status = field.key == "dish_status";
      if (status) kind = "dish-status";
      AddDishValues(field.value, status ? "" : std::string(field.key), record);
    }
  } else {
    AddDishValues(answer.value, "", record);
  }
  if (answer.kind == Kind::kLocation) {
    kind = "dish-location";
    AddLocation(answer.value, record);
  } else if (answer.kind == Kind::kOther) {
    const std::string plain = PlainName(answer.key);
    kind = plain == "dishgetdiagnostics" ? "dish-diagnostics"
           : plain == "getdeviceinfo"    ? "dish-device"
                                         : "dish-context";
  }
  for (const auto& [name, value] : record.fields) {
    if (name == "state" && value == "DISH_UNREACHABLE") kind = "dish-unreachable";
  }
  record.fields.insert(record.fields.begin(), answer.fields.begin(), answer.fields.end());
  if (answer.time) {
    record.time = answer.time->time;
    record.time_precision = answer.time->precision;
  }
  FrameDishRecord(document, answer, document.begin, document.end, record);
  SortValues(record);
  SealRecord(document.options, kind, kReader, record);
  out.records.push_back(std::move(record));
}

std::optional<Instant> TimeOfFileName(std::string_view path) {
  const std::string_view name = FileName(path);
  std::optional<Instant> found;
  for (size_t begin = name.find_first_of("0123456789"); begin != std::string_view::npos;) {
    const size_t end = std::min(name.find_first_not_of("0123456789", begin), name.size());
    const std::string_view digits = name.substr(begin, end - begin);
    if (digits.size() == 10 && digits >= "1546300800" && digits < "4102444800") {
      if (found) return std::nullopt;  // which of them?
      found = ParseInstant(digits);
    }
    begin = name.find_first_of("0123456789", end);
  }
  return found;
}

}  // namespace rhodes
