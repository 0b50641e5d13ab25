#include "source/tesla_message.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdio>

#include "base/json.h"
#include "base/text.h"
#include "source/encoding.h"
#include "source/json_document.h"
#include "source/protobuf_wire.h"
#include "source/row_builder.h"
#include "source/tesla_fields.h"
#include "source/time.h"
#include "source/x_text.h"

namespace rhodes {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;
using Field = ProtobufReader::Field;

// Names and versions: never numbers, even when they look like it.
bool IsTextField(std::string_view name) {
  static constexpr std::array<std::string_view, 22> kNames = {"CarType",
                                                              "DestinationName",
                                                              "EfficiencyPackage",
                                                              "EuropeVehicle",
                                                              "ExteriorColor",
                                                              "MediaNowPlayingAlbum",
                                                              "MediaNowPlayingArtist",
                                                              "MediaNowPlayingStation",
                                                              "MediaNowPlayingTitle",
                                                              "MediaPlaybackSource",
                                                              "RearDisplayHvacEnabled",
                                                              "RightHandDrive",
                                                              "RoofColor",
                                                              "RouteLine",
                                                              "SettingTemperatureUnit",
                                                              "SoftwareUpdateVersion",
                                                              "Trim",
                                                              "VehicleName",
                                                              "Version",
                                                              "WheelType",
                                                              "ChargingCableType",
                                                              "CellularNetwork"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

std::string IsoTime(int64_t microseconds) {
  const int64_t seconds = microseconds / 1'000'000 - (microseconds % 1'000'000 < 0 ? 1 : 0);
  const time_t time = seconds;
  std::tm parts{};
  gmtime_r(&time, &parts);
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02dZ", parts.tm_year + 1900, parts.tm_mon + 1,
                parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
  return text;
}

// Seconds that are milliseconds in truth, which some firmware sends for alerts, are read as what they are.
std::optional<Instant> InstantOf(int64_t seconds, int64_t nanoseconds) {
  constexpr int64_t kMillisecondsFrom = 100'000'000'000;  // as seconds the year 5138
  if (nanoseconds < 0 || nanoseconds > 999'999'999 || seconds <= 0) return std::nullopt;
  if (seconds >= kMillisecondsFrom) {
    if (seconds >= kMillisecondsFrom * 1000) return std::nullopt;
    return Instant{seconds * 1000, TimePrecision::kMillisecond, true};
  }
  const TimePrecision precision = nanoseconds == 0               ? TimePrecision::kSecond
                                  : nanoseconds % 1'000'000 == 0 ? TimePrecision::kMillisecond
                                                                 : TimePrecision::kMicrosecond;
  return Instant{seconds * 1'000'000 + nanoseconds / 1000, precision, true};
}

void SetTime(const std::optional<Instant>& instant, Record& record) {
  if (!instant) return;
  record.time = instant->time;
  record.time_precision = instant->precision;
}

// google.protobuf.Timestamp. `ok`: whether the bytes are one.
std::optional<Instant> TimestampOf(std::string_view bytes, bool& ok) {
  ProtobufReader reader(bytes);
  int64_t seconds = 0;
  int64_t nanoseconds = 0;
  while (const std::optional<Field> field = reader.Next()) {
    if (field->wire != ProtobufReader::kVarint || field->number > 2) ok = false;
    if (field->number == 1) seconds = static_cast<int64_t>(field->value);
    if (field->number == 2) nanoseconds = static_cast<int64_t>(field->value);
  }
  ok = ok && !reader.broken();
  return InstantOf(seconds, nanoseconds);
}

bool IsText(std::string_view bytes) {
  return FindInvalidUtf8(bytes) == std::string_view::npos &&
         std::none_of(bytes.begin(), bytes.end(), [](char c) { return static_cast<uint8_t>(c) < 0x09; });
}

// {"DriverFront": true, ...} of a message of booleans.
std::string BooleansOf(std::string_view bytes, std::initializer_list<const char*> names) {
  Json json = Json::object();
  for (const char* name : names) json[name] = false;
  ProtobufReader reader(bytes);
  while (const std::optional<Field> field = reader.Next()) {
    if (field->number >= 1 && field->number <= names.size())
      json[*(names.begin() + field->number - 1)] = field->value != 0;
  }
  return DumpJson(json);
}

std::string ClockOf(std::string_view bytes) {
  std::array<uint64_t, 4> parts{};
  ProtobufReader reader(bytes);
  while (const std::optional<Field> field = reader.Next()) {
    if (field->number <= 3) parts[field->number] = field->value;
  }
  return fmt::format("{:02}:{:02}:{:02}", parts[1], parts[2], parts[3]);
}

bool AddLocation(const std::string& name, std::string_view bytes, Record& record) {
  ProtobufReader reader(bytes);
  double latitude = 0;
  double longitude = 0;
  while (const std::optional<Field> field = reader.Next()) {
    if (field->wire != ProtobufReader::kFixed64) return false;
    if (field->number == 1) latitude = std::bit_cast<double>(field->value);
    if (field->number == 2) longitude = std::bit_cast<double>(field->value);
  }
  if (!reader.broken()) SetTeslaLocation(name, latitude, longitude, record);
  return !reader.broken();
}

// One member of the message Value. False when its wire type does not fit.
bool AddValue(const std::string& name, const Field& field, Record& record) {
  const auto is = [&](uint32_t wire) { return field.wire == wire; };
  switch (field.number) {
    case 1:
      if (!is(ProtobufReader::kBytes) || !IsText(field.bytes)) return false;
      AddTeslaString(name, field.bytes, record);
      return true;
    case 2:
      AddTeslaNumber(name, static_cast<int32_t>(field.value), record);
      return is(ProtobufReader::kVarint);
    case 3:
      AddTeslaNumber(name, static_cast<double>(static_cast<int64_t>(field.value)), record);
      return is(ProtobufReader::kVarint);
    case 4:
      // A float's shortest decimal form: 65.2f is 65.2, not 65.19999694824219.
      AddTeslaString(name, fmt::format("{}", std::bit_cast<float>(static_cast<uint32_t>(field.value))), record);
      return is(ProtobufReader::kFixed32);
    case 5:
      AddTeslaNumber(name, std::bit_cast<double>(field.value), record);
      return is(ProtobufReader::kFixed64);
    case 6:
      AddTeslaString(name, field.value != 0 ? "true" : "false", record);
      return is(ProtobufReader::kVarint);
    case 7:
      return is(ProtobufReader::kBytes) && AddLocation(name, field.bytes, record);
    case 10:
      AddTeslaInvalid(name, record);
      return is(ProtobufReader::kVarint);
    case 21:
      record.fields.emplace_back(name, BooleansOf(field.bytes, {"DriverFront", "DriverRear", "PassengerFront",
                                                                "PassengerRear", "TrunkFront", "TrunkRear"}));
      return is(ProtobufReader::kBytes);
    case 31:
      record.fields.emplace_back(name, ClockOf(field.bytes));
      return is(ProtobufReader::kBytes);
    case 39:
      record.fields.emplace_back(
          name, BooleansOf(field.bytes, {"front_left", "front_right", "rear_left", "rear_right",
                                         "semi_middle_axle_left_2", "semi_middle_axle_right_2", "semi_rear_axle_left",
                                         "semi_rear_axle_right", "semi_rear_axle_left_2", "semi_rear_axle_right_2"}));
      return is(ProtobufReader::kBytes);
    default:
      // An enumeration, or a member that is newer than this table: its number.
      if (!is(ProtobufReader::kVarint)) return !IsTeslaEnum(field.number);
      record.fields.emplace_back(name, TeslaValueName(field.number, field.value));
      return true;
  }
}

bool AddDatum(std::string_view bytes, Record& record) {
  ProtobufReader reader(bytes);
  uint64_t key = 0;
  std::string_view value;
  bool has_value = false;
  while (const std::optional<Field> field = reader.Next()) {
    if (field->number == 1 && field->wire == ProtobufReader::kVarint) {
      key = field->value;
    } else if (field->number == 2 && field->wire == ProtobufReader::kBytes) {
      value = field->bytes;
      has_value = true;
    } else {
      return false;
    }
  }
  if (reader.broken() || key > 100'000) return false;
  const std::string name = TeslaFieldName(key);
  ProtobufReader members(value);
  bool any = false;
  while (const std::optional<Field> member = members.Next()) {
    any = true;
    if (!AddValue(name, *member, record)) return false;
  }
  if (members.broken()) return false;
  if (!any) AddTeslaInvalid(name, record);
  return has_value || key > 0;
}

// Fields 2 (created_at), 3 (vin) are those of all messages but connectivity. `item` takes each field 1.
template <typename Item>
bool ReadEnvelope(std::string_view bytes, const Item& item, Record& record) {
  ProtobufReader reader(bytes);
  while (const std::optional<Field> field = reader.Next()) {
    if (field->number == 4 && field->wire == ProtobufReader::kVarint) {
      if (field->value != 0) record.fields.emplace_back("is_resend", "true");
      continue;
    }
    if (field->wire != ProtobufReader::kBytes) return false;
    bool ok = true;
    if (field->number == 1) {
      ok = item(field->bytes);
    } else if (field->number == 2) {
      SetTime(TimestampOf(field->bytes, ok), record);
    } else if (field->number == 3) {
      ok = IsText(field->bytes);
      record.author = field->bytes;
    }
    if (!ok) return false;
  }
  return !reader.broken();
}

void AddTimeMember(const char* name, const std::optional<Instant>& instant, Json& json) {
  if (instant) json[name] = IsoTime(instant->time);
}

// An alert, as {name, audiences, started_at, ended_at}.
bool ReadAlert(std::string_view bytes, Json& alerts, Record& record) {
  static constexpr std::array<const char*, 4> kAudiences = {"Unknown", "Customer", "Service", "ServiceFix"};
  Json alert = Json::object();
  Json audiences = Json::array();
  const auto audience = [&](uint64_t number) {
    audiences.push_back(number < kAudiences.size() ? kAudiences[number] : fmt::format("{}", number));
  };
  ProtobufReader reader(bytes);
  while (const std::optional<Field> field = reader.Next()) {
    bool ok = true;
    if (field->number == 1 && field->wire == ProtobufReader::kBytes) {
      ok = IsText(field->bytes);
      alert["name"] = field->bytes;
    } else if (field->number == 2 && field->wire == ProtobufReader::kVarint) {
      audience(field->value);
    } else if (field->number == 2 && field->wire == ProtobufReader::kBytes) {  // packed
      ok = field->bytes.size() < 64;
      for (const char c : field->bytes) {
        ok = ok && static_cast<uint8_t>(c) < 32;
        audience(static_cast<uint8_t>(c));
      }
    } else if ((field->number == 3 || field->number == 4) && field->wire == ProtobufReader::kBytes) {
      const std::optional<Instant> instant = TimestampOf(field->bytes, ok);
      AddTimeMember(field->number == 3 ? "started_at" : "ended_at", instant, alert);
      if (field->number == 3 && !record.time) SetTime(instant, record);
    } else {
      ok = false;
    }
    if (!ok) return false;
  }
  alert["audiences"] = std::move(audiences);
  alerts.push_back(std::move(alert));
  return !reader.broken();
}

bool ReadError(std::string_view bytes, Json& errors, Record& record) {
  Json error = Json::object();
  ProtobufReader reader(bytes);
  while (const std::optional<Field> field = reader.Next()) {
    bool ok = field->wire == ProtobufReader::kBytes;
    if (!ok) return false;
    if (field->number == 1) {
      const std::optional<Instant> instant = TimestampOf(field->bytes, ok);
      AddTimeMember("created_at", instant, error);
      if (!record.time) SetTime(instant, record);
    } else if (field->number == 2 || field->number == 4) {
      ok = IsText(field->bytes);
      error[field->number == 2 ? "name" : "body"] = field->bytes;
    } else if (field->number == 3) {
      ProtobufReader entry(field->bytes);
      std::string key;
      std::string value;
      while (const std::optional<Field> part = entry.Next()) {
        if (part->wire != ProtobufReader::kBytes || part->number > 2 || !IsText(part->bytes)) return false;
        (part->number == 1 ? key : value) = part->bytes;
      }
      ok = !entry.broken();
      error["tags"][key] = value;
    } else {
      ok = false;
    }
    if (!ok) return false;
  }
  errors.push_back(std::move(error));
  return !reader.broken();
}

bool ReadMetric(std::string_view bytes, Record& record) {
  std::string name;
  double value = 0;
  ProtobufReader reader(bytes);
  while (const std::optional<Field> field = reader.Next()) {
    if (field->number == 1 && field->wire == ProtobufReader::kBytes && IsText(field->bytes)) {
      name = field->bytes;
    } else if (field->number == 3 && field->wire == ProtobufReader::kFixed64) {
      value = std::bit_cast<double>(field->value);
    } else if (field->number != 2 || field->wire != ProtobufReader::kBytes) {
      return false;
    }
  }
  if (reader.broken() || name.empty()) return false;
  AddTeslaNumber(name, value, record);
  return true;
}

bool ReadConnectivity(std::string_view bytes, Record& record) {
  static constexpr std::array<const char*, 3> kStatus = {"UNKNOWN", "CONNECTED", "DISCONNECTED"};
  ProtobufReader reader(bytes);
  bool any_status = false;
  while (const std::optional<Field> field = reader.Next()) {
    bool ok = true;
    if (field->number == 3 && field->wire == ProtobufReader::kVarint) {
      any_status = true;
      record.fields.emplace_back(
          "status", field->value < kStatus.size() ? kStatus[field->value] : fmt::format("{}", field->value));
    } else if (field->wire != ProtobufReader::kBytes || field->number > 5) {
      ok = false;
    } else if (field->number == 4) {
      SetTime(TimestampOf(field->bytes, ok), record);
    } else {
      ok = IsText(field->bytes);
      if (field->number == 1) record.author = field->bytes;
      if (field->number == 2) record.fields.emplace_back("connection_id", field->bytes);
      if (field->number == 5) record.fields.emplace_back("network_interface", field->bytes);
    }
    if (!ok) return false;
  }
  return !reader.broken() && (any_status || !record.author.empty());
}

// The members of one alert or error stand as fields too, when there is just one.
void AddItems(const char* list, const Json& items, Record& record) {
  record.fields.emplace_back(list, DumpJson(items));
  if (items.size() != 1) return;
  for (const auto& [name, value] : items[0].items()) {
    record.fields.emplace_back(name, value.is_string() ? value.get<std::string>() : DumpJson(value));
  }
}

// Reads `bytes` as just that message; false when they are none.
bool ReadAs(TeslaMessage message, std::string_view bytes, Record& record) {
  Json items = Json::array();
  switch (message) {
    case TeslaMessage::kVehicleData:
      record.kind = "telemetry";
      return ReadEnvelope(
          bytes, [&](std::string_view item) { return AddDatum(item, record); }, record);
    case TeslaMessage::kAlerts:
      record.kind = "alert";
      if (!ReadEnvelope(
              bytes, [&](std::string_view item) { return ReadAlert(item, items, record); }, record))
        return false;
      AddItems("alerts", items, record);
      return true;
    case TeslaMessage::kErrors:
      record.kind = "error";
      if (!ReadEnvelope(
              bytes, [&](std::string_view item) { return ReadError(item, items, record); }, record))
        return false;
      AddItems("errors", items, record);
      return true;
    case TeslaMessage::kConnectivity:
      record.kind = "connectivity";
      return ReadConnectivity(bytes, record);
    case TeslaMessage::kMetrics:
      record.kind = "metric";
      return ReadEnvelope(
          bytes, [&](std::string_view item) { return ReadMetric(item, record); }, record);
    case TeslaMessage::kUnknown:
      return false;
  }
  return false;
}

void FinishRecord(Record& record) {
  std::string invalid;
  std::erase_if(record.fields, [&](const auto& field) {
    if (field.first != "invalid") return false;
    invalid += (invalid.empty() ? "" : " ") + field.second;
    return true;
  });
  if (!invalid.empty()) record.fields.emplace_back("invalid", invalid);
  SortValues(record);
}

// protojson writes createdAt, the server's log CreatedAt, others created_at.
std::string Plain(std::string_view key) {
  std::string plain;
  for (const char c : key) {
    if (c != '_') plain += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  }
  return plain;
}

element Member(element json, std::string_view plain) {
  object members;
  if (json.get(members) == simdjson::SUCCESS) {
    for (const auto member : members) {
      if (Plain(member.key) == plain) return member.value;
    }
  }
  return NullElement();
}

std::optional<Instant> InstantOfJson(element value) {
  if (value.is_string()) return ParseInstant(StringOf(value));
  if (value.is_object()) {
    const element nanoseconds = Member(value, "nanos");
    return InstantOf(static_cast<int64_t>(NumberOf(Member(value, "seconds")).value_or(0)),
                     static_cast<int64_t>(nanoseconds.is_null() ? 0 : NumberOf(nanoseconds).value_or(0)));
  }
  if (const std::optional<double> number = NumberOf(value)) return InstantOf(static_cast<int64_t>(*number), 0);
  return std::nullopt;
}

// A value as JSON has it: plain, or {"stringValue": ...}, {"floatValue": ...}, {"shiftStateValue": "..."}.
void AddJsonValue(std::string_view name, element value, Record& record) {
  if (value.is_null()) return AddTeslaInvalid(name, record);
  if (const std::optional<double> number = value.is_number() ? NumberOf(value) : std::nullopt) {
    return AddTeslaNumber(name, *number, record);
  }
  if (value.is_string()) return AddTeslaString(name, StringOf(value), record);
  object members;
  if (value.get(members) != simdjson::SUCCESS) return AddTeslaString(name, TextOf(value), record);
  const std::optional<double> latitude = NumberOf(Member(value, "latitude"));
  const std::optional<double> longitude = NumberOf(Member(value, "longitude"));
  if (latitude && longitude) return SetTeslaLocation(name, *latitude, *longitude, record);
  if (members.size() == 1) {
    const std::string type = Plain((*members.begin()).key);
    const element inner = (*members.begin()).value;
    if (type == "invalid") return AddTeslaInvalid(name, record);
    const bool hour = type == "timevalue";
    if (hour) {
      const auto part = [&](const char* key) { return static_cast<int>(NumberOf(Member(inner, key)).value_or(0)); };
      record.fields.emplace_back(name, fmt::format("{:02}:{:02}:{:02}", part("hour"), part("minute"), part("second")));
      return;
    }
    if (type.ends_with("value") || type.ends_with("state") || inner.is_string()) {
      if (type == "doorvalue" || type == "tirelocationvalue") {
        record.fields.emplace_back(name, TextOf(inner));
        return;
      }
      return AddJsonValue(name, inner, record);
    }
  }
  record.fields.emplace_back(name, TextOf(value));
}

void ReadJsonItems(simdjson::dom::array list, const char* name, Record& record) {
  Json items = Json::array();
  for (const element item : list) {
    Json out = Json::object();
    object members;
    if (item.get(members) != simdjson::SUCCESS) continue;
    for (const auto member : members) {
      const std::string key = Plain(member.key);
      const bool time = key.ends_with("at");
      const std::string stored = key == "startedat"   ? "started_at"
                                 : key == "endedat"   ? "ended_at"
                                 : key == "createdat" ? "created_at"
                                                      : key;
      if (member.value.is_null()) continue;
      if (time) {
        const std::optional<Instant> instant = InstantOfJson(member.value);
        if (instant) out[stored] = IsoTime(instant->time);
        if (stored != "ended_at" && !record.time) SetTime(instant, record);
      } else {
        out[stored] = Json::parse(std::string(simdjson::minify(member.value)), nullptr, false);
      }
    }
    items.push_back(std::move(out));
  }
  AddItems(name, items, record);
}

// {"vin", "createdAt", "data": [{"key", "value"}]} and the like; or the log's flat {"Vin", "CreatedAt", FIELD: value}.
std::string ReadMessageJson(element json, TeslaMessage expected, Record& record) {
  const element vin = Member(json, "vin");
  if (!vin.is_null()) record.author = TextOf(vin);
  SetTime(InstantOfJson(Member(json, "createdat")), record);
  const element resend = Member(json, "isresend");
  if (resend.is_bool() && resend.get_bool().value_unsafe()) record.fields.emplace_back("is_resend", "true");
  simdjson::dom::array list;
  if (Member(json, "alerts").get(list) == simdjson::SUCCESS) {
    record.kind = "alert";
    ReadJsonItems(list, "alerts", record);
  } else if (Member(json, "errors").get(list) == simdjson::SUCCESS) {
    record.kind = "error";
    ReadJsonItems(list, "errors", record);
  } else if (Member(json, "data").get(list) == simdjson::SUCCESS) {
    record.kind = "telemetry";
    for (const element datum : list) {
      const element key = Member(datum, "key");
      const std::string name = key.is_number() ? TeslaFieldName(UnsignedOf(key).value_or(100'001)) : TextOf(key);
      if (name.empty()) return "a datum without a key";
      AddJsonValue(name, Member(datum, "value"), record);
    }
  } else if (!Member(json, "connectionid").is_null() || expected == TeslaMessage::kConnectivity) {
    record.kind = "connectivity";
    const std::string status = TextOf(Member(json, "status"));
    AddField("connection_id", TextOf(Member(json, "connectionid")), record);
    AddField("status", status, record);
    AddField("network_interface", TextOf(Member(json, "networkinterface")), record);
    if (status.empty()) return "a connectivity message without a status";
  } else {
    record.kind = "telemetry";
    object members;
    bool known = !vin.is_null();
    if (json.get(members) != simdjson::SUCCESS) return "not a JSON object";
    for (const auto member : members) {
      const std::string key = Plain(member.key);
      if (key == "vin" || key == "createdat" || key == "isresend") continue;
      known = known || IsTeslaField(member.key);
      AddJsonValue(member.key, member.value, record);
    }
    if (!known) return "no message of Fleet Telemetry: it names no vehicle and no known field";
  }
  return "";
}

}  // namespace

TeslaMessage TeslaMessageOfName(std::string_view name) {
  name = name.substr(name.rfind('/') + 1);
  name = name.substr(0, name.find('.'));
  const std::string_view last = name.substr(name.find_last_of("_-") + 1);
  if (last == "V") return TeslaMessage::kVehicleData;
  if (last == "alerts") return TeslaMessage::kAlerts;
  if (last == "errors") return TeslaMessage::kErrors;
  if (last == "connectivity") return TeslaMessage::kConnectivity;
  if (last == "metrics") return TeslaMessage::kMetrics;
  return TeslaMessage::kUnknown;
}

void SetTeslaLocation(std::string_view name, double latitude, double longitude, Record& record) {
  if (!std::isfinite(latitude) || !std::isfinite(longitude) || std::fabs(latitude) > 90 || std::fabs(longitude) > 180) {
    record.fields.emplace_back(name, fmt::format("{}, {}", latitude, longitude));
    return;
  }
  if (name == "Location") {
    record.latitude = latitude;
    record.longitude = longitude;
    return;
  }
  // Where it is going to, or was: not where it is.
  record.channels.emplace_back(fmt::format("{}.latitude", name), latitude);
  record.channels.emplace_back(fmt::format("{}.longitude", name), longitude);
}

void AddTeslaNumber(std::string_view name, double value, Record& record) {
  if (IsTextField(name)) {
    record.fields.emplace_back(name, fmt::format("{}", value));
    return;
  }
  if (!std::isfinite(value)) return AddTeslaInvalid(name, record);
  record.channels.emplace_back(name, value);
  if (const std::string_view unit = UnitOfTeslaField(name); !unit.empty()) record.units.emplace_back(name, unit);
}

void AddTeslaInvalid(std::string_view name, Record& record) { record.fields.emplace_back("invalid", name); }

void AddTeslaString(std::string_view name, std::string_view value, Record& record) {
  if (value == "<invalid>" || value.empty()) return AddTeslaInvalid(name, record);
  if (!IsTextField(name)) {
    const std::string_view trimmed = Trim(value);
    if (const std::optional<double> number = ParseNumber(trimmed)) return AddTeslaNumber(name, *number, record);
    const std::string lower = LowerAscii(trimmed);
    if (lower == "nan" || lower == "inf" || lower == "-inf" || lower == "infinity")
      return AddTeslaInvalid(name, record);
    // "(37.412374 N, 122.145867 W)"
    double latitude = 0;
    double longitude = 0;
    char north = 0;
    char east = 0;
    const std::string text(trimmed);
    if (std::sscanf(text.c_str(), "(%lf %c, %lf %c)", &latitude, &north, &longitude, &east) == 4 &&
        (north == 'N' || north == 'S') && (east == 'E' || east == 'W')) {
      return SetTeslaLocation(name, north == 'S' ? -latitude : latitude, east == 'W' ? -longitude : longitude, record);
    }
  }
  record.fields.emplace_back(name, value);
}

std::string ReadTeslaPayload(std::string_view bytes, TeslaMessage expected, Record& record) {
  if (bytes.empty()) return "an empty payload";
  std::vector<TeslaMessage> candidates = {expected};
  if (expected == TeslaMessage::kUnknown) {
    candidates = {TeslaMessage::kVehicleData, TeslaMessage::kAlerts, TeslaMessage::kErrors, TeslaMessage::kConnectivity,
                  TeslaMessage::kMetrics};
  }
  for (const TeslaMessage message : candidates) {
    Record attempt;
    if (!ReadAs(message, bytes, attempt)) continue;
    FinishRecord(attempt);
    record = std::move(attempt);
    return "";
  }
  return "no message of Fleet Telemetry: the bytes fit none of V, alerts, errors, connectivity and metrics";
}

std::string ReadTeslaJson(element json, TeslaMessage expected, Record& record) {
  if (!json.is_object()) return "not a JSON object";
  std::string reason;
  // The server's log: {"msg": "record_payload", "vin", "metadata": {"txtype"}, "data": ...}
  const element data = Member(json, "data");
  const element message = Member(json, "msg");
  if (message.is_string() && !data.is_null()) {
    const std::string vin = TextOf(Member(json, "vin"));
    const std::string type = TextOf(Member(Member(json, "metadata"), "txtype"));
    if (!type.empty()) expected = TeslaMessageOfName(type);
    if (simdjson::dom::array list; data.get(list) == simdjson::SUCCESS) {
      const bool errors = expected == TeslaMessage::kErrors ||
                          (list.size() > 0 && !Member(list.at(0).value_unsafe(), "body").is_null());
      record.kind = errors ? "error" : "alert";
      ReadJsonItems(list, errors ? "errors" : "alerts", record);
    } else {
      reason = ReadMessageJson(data, expected, record);
    }
    if (record.author.empty()) record.author = vin;
    if (!record.time) SetTime(InstantOfJson(Member(json, "time")), record);
  } else {
    reason = ReadMessageJson(json, expected, record);
  }
  FinishRecord(record);
  return reason;
}

}  // namespace rhodes
