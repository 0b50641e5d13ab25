#include "source/row_builder.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/hash.h"
#include "base/text.h"
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
  std::stable_sort(pairs.begin(), pairs.end(), less);
  const auto same = [](const auto& a, const auto& b) { return a.first == b.first; };
  const auto kept = std::unique(pairs.rbegin(), pairs.rend(), same);
  pairs.erase(pairs.begin(), kept.base());
}

}  // namespace

RoleTable::RoleTable(const ColumnMap& columns) : text_column_(columns.text) {
  for (const UsualNames& usual : AllUsualNames()) {
    if (const std::string& column = columns.*usual.column; !column.empty()) {
      exact_[column] = {usual.role, 0};
      continue;
    }
    uint8_t rank = 0;
    for (const char* name : usual.names) folded_[name] = {usual.role, rank++};
  }
}

RoleTable::Found RoleTable::Find(std::string_view name) const {
  if (!exact_.empty()) {
    if (const auto it = exact_.find(absl::string_view(name.data(), name.size())); it != exact_.end()) return it->second;
  }
  if (name.size() > 16) return {};  // longer than any usual name
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

void RowBuilder::FillField(const Value& value, std::string_view name, Record& record) {
  if (value.kind == Kind::kNumber && value.role.role != Role::kId) {
    const bool integer = value.text.find_first_of(".eE") == std::string_view::npos;
    if (!integer || std::fabs(value.number) < kExactInteger) {
      record.channels.emplace_back(name, value.number);
      return;
    }
  }
  record.fields.emplace_back(name, value.text);
}

// True when the value found its place in the record.
bool RowBuilder::FillRole(const Value& value, Record& record, std::string& reason) {
  const auto coordinate = [&](double limit, std::optional<double>& place) {
    const std::optional<double> number = value.kind == Kind::kNumber ? value.number : ParseNumber(Trim(value.text));
    if (!number || std::fabs(*number) > limit) return false;
    place = number;
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
      const std::optional<Instant> instant = value.kind == Kind::kNumber && value.text.size() != 8
                                                 ? InstantOfNumber(value.number)
                                                 : ParseInstant(value.text);
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
      return coordinate(90, record.latitude);
    case Role::kLongitude:
      return coordinate(360, record.longitude);
    case Role::kId:
      record.fields.emplace_back("id", value.text);
      return true;
    case Role::kNone:
      return false;
  }
  return false;
}

bool RowBuilder::Finish(const ReadOptions& options, Record& record, std::string& reason) {
  std::array<int, kRoleCount> best;
  best.fill(-1);
  for (size_t i = 0; i < values_.size(); ++i) {
    const RoleTable::Found role = values_[i].role;
    if (role.role == Role::kNone) continue;
    // A text role is for strings: {"text": 5, "body": "words"} has its text in body.
    if (role.role == Role::kText && values_[i].kind != Kind::kString && roles_.text_column().empty()) continue;
    int& current = best[static_cast<size_t>(role.role)];
    if (current < 0 || role.rank <= values_[static_cast<size_t>(current)].role.rank) current = static_cast<int>(i);
  }
  record.fields.reserve(values_.size());
  for (size_t i = 0; i < values_.size(); ++i) {
    const Value& value = values_[i];
    const size_t role = static_cast<size_t>(value.role.role);
    if (role != 0 && best[role] == static_cast<int>(i) && FillRole(value, record, reason)) continue;
    FillField(value, value.name, record);
  }
  if (!reason.empty()) return false;
  const bool has_text = best[static_cast<size_t>(Role::kText)] >= 0;
  if (!has_text && !roles_.text_column().empty()) {
    reason = fmt::format("no text field: there is no \"{}\"", roles_.text_column());
    return false;
  }
  if (!has_text && record.channels.empty() && !record.time && !record.latitude) {
    reason =
        "no text field (text, content, body, message, ...), no number and no time; name one with --column text=FIELD";
    return false;
  }
  SortUnique(record.fields);
  SortUnique(record.channels);
  if (record.language.empty()) record.language = options.language;
  return true;
}

void SealRecord(const ReadOptions& options, std::string_view kind, std::string_view reader, Record& record) {
  SealRecord(options, kind, reader, record.original, record);
}

void SealRecord(const ReadOptions& options, std::string_view kind, std::string_view reader, std::string_view identity,
                Record& record) {
  record.source = options.source;
  record.kind = kind;
  record.reader = reader;
  record.id = ContentId({record.source, record.kind, identity});
}

}  // namespace rhodes
