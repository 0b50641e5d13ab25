#include "source/row_builder.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/hash.h"
#include "base/text.h"
#include "source/encoding.h"
#include "source/json_document.h"
#include "source/path_facts.h"
#include "source/time.h"

namespace rhodes {
namespace {

constexpr double kExactInteger = 9007199254740992.0;  // 2^53

struct UsualNames {
  Role role;
  std::string ColumnMap::*column;
  std::vector<const char*> names;
};

const std::vector<UsualNames>& AllUsualNames() {
  static const std::vector<UsualNames> kAll = {
      {Role::kText, &ColumnMap::text, {"text", "content", "body", "message", "full_text", "article", "document"}},
      {Role::kTime,
       &ColumnMap::time,
       {"time", "timestamp", "created_at", "createdat", "datetime", "date", "published_at", "publishedat", "published",
        "pubdate", "date_published", "datepublished", "created", "updated_at", "updated"}},
      {Role::kAuthor,
       &ColumnMap::author,
       {"author", "user", "username", "user_name", "screen_name", "creator", "byline"}},
      {Role::kLanguage, &ColumnMap::language, {"language", "lang", "inlanguage"}},
      {Role::kLatitude, &ColumnMap::latitude, {"latitude", "lat"}},
      {Role::kLongitude, &ColumnMap::longitude, {"longitude", "lon", "lng"}},
      {Role::kId, &ColumnMap::id, {"id"}},
      {Role::kPlace, &ColumnMap::place, {"place", "place_name", "location_name"}},
  };
  return kAll;
}

bool HasUpper(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

// Sorts by name; of several values with one name the last is kept, as JSON readers do.
template <typename T>
void SortUnique(std::vector<std::pair<std::string, T>>& pairs) {
  const auto less = [](const auto& a, const auto& b) { return a.first < b.first; };
  if (!std::is_sorted(pairs.begin(), pairs.end(), less)) std::stable_sort(pairs.begin(), pairs.end(), less);
  const auto same = [](const auto& a, const auto& b) { return a.first == b.first; };
  const auto kept = std::unique(pairs.rbegin(), pairs.rend(), same);
  pairs.erase(pairs.begin(), kept.base());
}

// A count of seconds that a spreadsheet rounded: 1.51336E+12 is some time in an afternoon.
bool IsRounded(std::string_view digits, double number) {
  const size_t exponent = digits.find_first_of("eE");
  if (exponent == std::string_view::npos) return false;
  size_t significant = 0;
  for (const char c : digits.substr(0, exponent)) significant += c >= '0' && c <= '9' ? 1 : 0;
  // In powers of ten: the whole count in seconds has nine or ten digits, however fine it is.
  return significant < 9 && std::fabs(number) >= 1e8;
}

}  // namespace

RoleTable::RoleTable(const ColumnMap& columns, const std::string& time_zone)
    : text_column_(columns.text), channels_(columns.channels), zone_(ZoneOrUtc(time_zone)) {
  for (size_t i = 0; i < channels_.size(); ++i) {
    exact_[channels_[i].field] = {Role::kNone, 0, static_cast<int16_t>(i)};
  }
  for (const UsualNames& usual : AllUsualNames()) {
    if (const std::string& column = columns.*usual.column; !column.empty()) {
      exact_[column] = {usual.role, 0, -1};
      continue;
    }
    uint8_t rank = 0;
    for (const std::string name : usual.names) {
      folded_[name] = {usual.role, rank++, -1};
      folded_lengths_ |= uint64_t{1} << name.size();
    }
  }
}

RoleTable::Found RoleTable::Find(std::string_view name) const {
  if (!exact_.empty()) {
    if (const auto it = exact_.find(absl::string_view(name.data(), name.size())); it != exact_.end()) return it->second;
  }
  if (name.size() >= 64 || (folded_lengths_ >> name.size() & 1) == 0) return {};
  if (!HasUpper(name)) {
    const auto it = folded_.find(absl::string_view(name.data(), name.size()));
    return it == folded_.end() ? Found{} : it->second;
  }
  const auto it = folded_.find(LowerAscii(name));
  return it == folded_.end() ? Found{} : it->second;
}

std::optional<double> ParseNumber(std::string_view text) {
  if (text.empty() || text.size() > 40) return std::nullopt;
  std::string_view digits = text;
  if (digits[0] == '-') digits.remove_prefix(1);
  if (digits.empty()) return std::nullopt;
  const bool point = digits[0] == '.';
  if (!point && (digits[0] < '0' || digits[0] > '9')) return std::nullopt;
  if (point && (digits.size() < 2 || digits[1] < '0' || digits[1] > '9')) return std::nullopt;
  if (digits.size() > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9') return std::nullopt;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) return std::nullopt;
  return number;
}

// The value as a channel, if ColumnMap::channels says so and it is a number in the unit that is stated there.
bool RowBuilder::FillChannel(const Value& value, Record& record) const {
  if (value.role.channel < 0 || value.kind == Kind::kOther) return false;
  const ChannelColumn& column = roles_.channel(value.role.channel);
  Measure measure{value.number, ""};
  if (value.kind == Kind::kString) {
    std::optional<Measure> parsed = ParseMeasure(value.text, decimal_mark_);
    if (!parsed) return false;
    measure = *std::move(parsed);
    if (!column.unit.empty() && !measure.unit.empty() && measure.unit != column.unit) return false;
  }
  if (!std::isfinite(measure.number)) return false;
  const std::string& name = column.name.empty() ? column.field : column.name;
  record.channels.emplace_back(name, measure.number);
  const std::string& unit = column.unit.empty() ? measure.unit : column.unit;
  if (!unit.empty()) record.units.emplace_back(name, unit);
  return true;
}

void RowBuilder::FillField(const Value& value, Record& record) const {
  if (FillChannel(value, record)) return;
  const Role role = value.role.role;
  // What is called an id or a coordinate and is none in this row is no measurement either.
  if (value.kind == Kind::kNumber && role != Role::kId && role != Role::kLatitude && role != Role::kLongitude &&
      std::isfinite(value.number)) {
    const bool integer = value.text.find_first_of(".eE,") == std::string_view::npos;
    if (!integer || std::fabs(value.number) < kExactInteger) {
      record.channels.emplace_back(value.name, value.number);
      return;
    }
  }
  record.fields.emplace_back(value.name, value.text);
}

// True when the value found its place in the record.
bool RowBuilder::FillRole(const Value& value, Record& record, std::string& reason) const {
  const auto coordinate = [&](double least, double most, std::optional<double>& place) {
    const std::optional<double> number = value.kind == Kind::kNumber ? value.number : ParseNumber(Trim(value.text));
    if (!number || !(*number >= least && *number <= most)) return false;
    place = *number > 180 ? *number - 360 : *number;
    return true;
  };
  switch (value.role.role) {
    case Role::kText:
      if (value.kind != Kind::kString) {
        if (!roles_.text_column().empty()) reason = fmt::format("field \"{}\" is not a string", value.name);
        return false;
      }
      record.text = value.text;
      return true;
    case Role::kTime: {
      if (value.kind == Kind::kNumber && IsRounded(value.text, value.number)) return false;
      const std::optional<Instant> instant = value.kind == Kind::kNumber && value.text.size() != 8
                                                 ? InstantOfNumber(value.number)
                                                 : ParseInstantIn(value.text, roles_.zone());
      if (!instant) return false;
      record.time = instant->time;
      record.time_precision = instant->precision;
      return true;
    }
    case Role::kAuthor:
      record.author = value.text;
      return true;
    case Role::kLanguage:
      record.language = value.kind == Kind::kString ? LanguageTag(value.text) : "";
      return !record.language.empty();
    case Role::kLatitude:
      return coordinate(-90, 90, record.latitude);
    case Role::kLongitude:
      return coordinate(-180, 360, record.longitude);
    case Role::kId:
      record.fields.emplace_back("id", value.text);
      return true;
    case Role::kPlace:
      record.fields.emplace_back("place", value.text);
      return true;
    case Role::kNone:
      return false;
  }
  return false;
}

bool RowBuilder::AssignRole(Role role, Record& record, std::string& reason) {
  for (int least = 0; least < 256;) {
    Value* best = nullptr;
    for (Value& value : values_) {
      if (value.role.role != role || value.role.rank < least) continue;
      // A text role is for strings: {"text": 5, "body": "words"} has its text in body.
      if (role == Role::kText && value.kind != Kind::kString && roles_.text_column().empty()) continue;
      if (best == nullptr || value.role.rank <= best->role.rank) best = &value;  // of equals the last
    }
    if (best == nullptr) return false;
    if (FillRole(*best, record, reason)) {
      for (Value& value : values_) value.taken |= &value == best || value.name == best->name;
      // A field of its own that is called as the role is stays beside it.
      if (role == Role::kId || role == Role::kPlace) {
        const std::string_view name = role == Role::kId ? "id" : "place";
        for (Value& value : values_) {
          if (!value.taken && value.name == name) value.name = role == Role::kId ? "id_2" : "place_2";
        }
      }
      return true;
    }
    least = best->role.rank + 1;
  }
  return false;
}

bool RowBuilder::Finish(const ReadOptions& options, Record& record, std::string& reason) {
  std::array<bool, kRoleCount> present{};
  for (const Value& value : values_) present[static_cast<size_t>(value.role.role)] = true;
  bool has_text = false;
  for (size_t i = 1; i < kRoleCount; ++i) {
    const auto role = static_cast<Role>(i);
    if (present[i] && AssignRole(role, record, reason) && role == Role::kText) has_text = true;
  }
  if (!reason.empty()) return false;
  if (record.latitude.has_value() != record.longitude.has_value()) {
    record.latitude.reset();
    record.longitude.reset();
    for (Value& value : values_) {
      if (value.role.role == Role::kLatitude || value.role.role == Role::kLongitude) value.taken = false;
    }
  }
  // As much room as is needed: blocks hold tens of thousands of records.
  size_t numbers = 0;
  size_t others = 0;
  for (const Value& value : values_) {
    if (!value.taken) ++(value.kind == Kind::kNumber ? numbers : others);
  }
  record.channels.reserve(numbers);
  record.fields.reserve(record.fields.size() + others);
  for (const Value& value : values_) {
    if (!value.taken) FillField(value, record);
  }
  if (!has_text && !roles_.text_column().empty()) {
    reason = fmt::format("no text field: there is no \"{}\"", roles_.text_column());
    return false;
  }
  if (!has_text && record.channels.empty() && !record.time && !record.latitude && !keeps_bare_rows_) {
    reason =
        "no text field (text, content, body, message, ...), no number and no time; name one with --column text=FIELD";
    return false;
  }
  SortUnique(record.fields);
  SortUnique(record.channels);
  SortUnique(record.units);
  if (record.language.empty()) record.language = options.language;
  return true;
}

namespace {
// Headers, attributes and names that no reader decoded: columns of type VARCHAR hold UTF-8 and nothing else.
void MakeUtf8(std::string& text) {
  if (!IsValidUtf8(text)) text = DecodeText(text).text;
}
}  // namespace

void SealRecord(const ReadOptions& options, std::string_view kind, std::string_view reader, Record& record) {
  SealRecord(options, kind, reader, record.original, record);
}

void SealRecord(const ReadOptions& options, std::string_view kind, std::string_view reader, std::string_view identity,
                Record& record) {
  record.source = options.source;
  record.kind = kind;
  record.reader = reader;
  if (record.language.empty() && !record.text.empty()) record.language = options.language;
  MakeUtf8(record.text);
  MakeUtf8(record.author);
  MakeUtf8(record.language);
  bool renamed = false;
  for (auto& [name, value] : record.fields) {
    MakeUtf8(value);
    if (IsValidUtf8(name)) continue;
    MakeUtf8(name);
    renamed = true;
  }
  for (auto& [name, number] : record.channels) {
    if (IsValidUtf8(name)) continue;
    MakeUtf8(name);
    renamed = true;
  }
  for (auto& [name, unit] : record.units) {
    MakeUtf8(unit);
    if (IsValidUtf8(name)) continue;
    MakeUtf8(name);
    renamed = true;
  }
  if (renamed) SortValues(record);
  record.id = ContentId({record.source, record.kind, identity});
}

}  // namespace rhodes
