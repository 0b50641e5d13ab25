// Named values (a JSON object, a CSV row, a Parquet row) into a Record.
#ifndef RHODES_SOURCE_ROW_BUILDER_H_
#define RHODES_SOURCE_ROW_BUILDER_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "source/format.h"

namespace rhodes {

// Which member of a record a field fills; kNone: it goes into `fields` or `channels` under its own name.
enum class Role : uint8_t { kNone, kText, kTime, kAuthor, kLanguage, kLatitude, kLongitude, kId };
inline constexpr size_t kRoleCount = 8;

// The role of each field name. With a ColumnMap entry only that name has the role (exactly as written); without, the
// usual names have it (lower and upper case alike), the first of this order that a row has:
//   text: text, content, body, message, full_text, article, document
//   time: time, timestamp, created_at, datetime, date, published_at, published, pubdate, date_published, created,
//         updated_at, updated
//   author: author, user, username, user_name, screen_name, creator, byline
//   language: language, lang, inlanguage   latitude: latitude, lat   longitude: longitude, lon, lng   id: id
class RoleTable {
 public:
  explicit RoleTable(const ColumnMap& columns);

  struct Found {
    Role role = Role::kNone;
    uint8_t rank = 0;  // place in the order above
  };
  Found Find(std::string_view name) const;
  // The explicit name of the text field, or empty.
  const std::string& text_column() const { return text_column_; }

 private:
  absl::flat_hash_map<std::string, Found> exact_;
  absl::flat_hash_map<std::string, Found> folded_;
  std::string text_column_;
};

// Collects the values of one row and makes the record. Views must live until Finish(). Reusable; not thread-safe.
class RowBuilder {
 public:
  explicit RowBuilder(const RoleTable& roles) : roles_(roles) {}

  void Begin() { values_.clear(); }
  void AddString(std::string_view name, std::string_view value) {
    Add(name, roles_.Find(name), Kind::kString, value, 0);
  }
  // `digits`: as the source wrote it.
  void AddNumber(std::string_view name, double number, std::string_view digits) {
    Add(name, roles_.Find(name), Kind::kNumber, digits, number);
  }
  // A boolean, or a nested value as compact JSON: never text, author, ...; it goes into `fields`.
  void AddOther(std::string_view name, std::string_view value) { Add(name, {}, Kind::kOther, value, 0); }
  // With the role looked up before (a column of a table).
  void AddString(std::string_view name, RoleTable::Found role, std::string_view value) {
    Add(name, role, Kind::kString, value, 0);
  }
  void AddNumber(std::string_view name, RoleTable::Found role, double number, std::string_view digits) {
    Add(name, role, Kind::kNumber, digits, number);
  }

  // Fills text, time, author, language, latitude, longitude, channels and fields. False with `reason` when the row has
  // no text and is no measurement either (nothing numeric, no time).
  //
  // A number goes into `channels`; an integer beyond 2^53 or one called id, which a double would spoil, into `fields`.
  // A value that does not fit its role (a time that is no date, a latitude of 100) stays in `fields` under its own
  // name, and the record without it.
  bool Finish(const ReadOptions& options, Record& record, std::string& reason);

 private:
  enum class Kind : uint8_t { kString, kNumber, kOther };
  struct Value {
    std::string_view name;
    std::string_view text;
    double number;
    Kind kind;
    RoleTable::Found role;
  };
  void Add(std::string_view name, RoleTable::Found role, Kind kind, std::string_view text, double number) {
    values_.push_back({name, text, number, kind, role});
  }
  bool FillRole(const Value& value, Record& record, std::string& reason);
  static void FillField(const Value& value, std::string_view name, Record& record);

  const RoleTable& roles_;
  std::vector<Value> values_;
};

// A number as tables write it: -12, 3.5, .5, 2E-3; not 007, +49, 0x1F, 1_000, NaN, which are names.
std::optional<double> ParseNumber(std::string_view text);

// Sets id from source, kind and original, and the reader's name.
void SealRecord(const ReadOptions& options, std::string_view kind, std::string_view reader, Record& record);
// The same for records whose bytes do not tell them apart (the 0 that a dish measured in one second, and in another):
// `identity`, which must name the thing for good, takes the place of the original.
void SealRecord(const ReadOptions& options, std::string_view kind, std::string_view reader, std::string_view identity,
                Record& record);

}  // namespace rhodes

#endif  // RHODES_SOURCE_ROW_BUILDER_H_
