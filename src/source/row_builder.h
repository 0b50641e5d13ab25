// Named values (a JSON object, a CSV row, a Parquet row) into a Record.
#ifndef RHODES_SOURCE_ROW_BUILDER_H_
#define RHODES_SOURCE_ROW_BUILDER_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "source/format.h"
#include "source/measure.h"
#include "source/time_zone.h"

namespace rhodes {

// Which member of a record a field fills; kNone: it goes into `fields` or `channels` under its own name.
enum class Role : uint8_t { kNone, kText, kTime, kAuthor, kLanguage, kLatitude, kLongitude, kId, kPlace };
inline constexpr size_t kRoleCount = 9;

// The role of each field name. With a ColumnMap entry only that name has the role (exactly as written); without, the
// usual names have it (lower and upper case alike), the first of this order that a row has:
//   text: text, content, body, message, full_text, article, document
//   time: time, timestamp, created_at, datetime, date, published_at, published, pubdate, date_published, created,
//         updated_at, updated
//   author: author, user, username, user_name, screen_name, creator, byline
//   language: language, lang, inlanguage   latitude: latitude, lat   longitude: longitude, lon, lng   id: id
//   place: place, place_name, location_name
// Fields that ColumnMap::channels names are channels.
class RoleTable {
 public:
  // `time_zone`: ReadOptions::time_zone.
  explicit RoleTable(const ColumnMap& columns, const std::string& time_zone = {});

  struct Found {
    Role role = Role::kNone;
    uint8_t rank = 0;      // place in the order above
    int16_t channel = -1;  // index in ColumnMap::channels
  };
  Found Find(std::string_view name) const;
  // The explicit name of the text field, or empty.
  const std::string& text_column() const { return text_column_; }
  const ChannelColumn& channel(int16_t index) const { return channels_[static_cast<size_t>(index)]; }
  // Null: UTC.
  const TimeZone* zone() const { return zone_.get(); }

 private:
  absl::flat_hash_map<std::string, Found> exact_;
  absl::flat_hash_map<std::string, Found> folded_;
  uint64_t folded_lengths_ = 0;  // bit n: a usual name has n letters
  std::string text_column_;
  std::vector<ChannelColumn> channels_;
  std::shared_ptr<const TimeZone> zone_;
};

// Collects the values of one row and makes the record. Views must live until Finish(). Reusable; not thread-safe.
class RowBuilder {
 public:
  explicit RowBuilder(const RoleTable& roles) : roles_(roles) {}

  // How the file writes fractions in cells that are text; matters to ColumnMap::channels.
  void set_decimal_mark(DecimalMark mark) { decimal_mark_ = mark; }

  // Whether rows with neither text nor measurement are records all the same.
  void set_keeps_bare_rows(bool keeps) { keeps_bare_rows_ = keeps; }

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

  // Fills text, time, author, language, latitude, longitude, channels, units and fields. False with `reason` when the
  // row has no text and is no measurement either (nothing numeric, no time).
  //
  // A number goes into `channels`; an integer beyond 2^53 or one called id, which a double would spoil, into `fields`,
  // and so does what is not finite. What does not fit its role (a time that is no date or that the zone's clock shows
  // twice or never, a latitude of 100) leaves the role to the next of the usual names, and stays in `fields` or
  // `channels` under its own name. Longitudes of 180 to 360 are made negative. A latitude without a longitude is no
  // place: both then stay in `fields`. Of a name given twice the last counts.
  bool Finish(const ReadOptions& options, Record& record, std::string& reason);

 private:
  enum class Kind : uint8_t { kString, kNumber, kOther };
  struct Value {
    std::string_view name;
    std::string_view text;
    double number;
    Kind kind;
    RoleTable::Found role;
    bool taken;  // it has its place in the record
  };
  void Add(std::string_view name, RoleTable::Found role, Kind kind, std::string_view text, double number) {
    values_.push_back({name, text, number, kind, role, false});
  }
  bool FillRole(const Value& value, Record& record, std::string& reason) const;
  bool FillChannel(const Value& value, Record& record) const;
  void FillField(const Value& value, Record& record) const;
  // Gives the role to the first value that fits it; such a value is taken out of values_.
  bool AssignRole(Role role, Record& record, std::string& reason);

  const RoleTable& roles_;
  DecimalMark decimal_mark_ = DecimalMark::kEither;
  bool keeps_bare_rows_ = false;
  std::vector<Value> values_;
};

// A number as tables write it: -12, 3.5, .5, 2E-3; not 007, +49, 0x1F, 1_000, NaN, which are names.
std::optional<double> ParseNumber(std::string_view text);

// Makes room in `records` for what a block will hold, once some of its bytes are read: growing by doubling moves every
// record several times, which costs more than reading small ones.
inline void ReserveRecords(size_t done_bytes, size_t all_bytes, std::vector<Record>& records) {
  constexpr size_t kSample = 256;
  if (records.size() != kSample || done_bytes == 0 || records.capacity() >= 4 * kSample) return;
  records.reserve(kSample +
                  static_cast<size_t>(1.1 * static_cast<double>(kSample) * static_cast<double>(all_bytes - done_bytes) /
                                      static_cast<double>(done_bytes)));
}

// Sets id from source, kind and original, and the reader's name; strings that are not UTF-8 by now are decoded as
// Windows-1252.
void SealRecord(const ReadOptions& options, std::string_view kind, std::string_view reader, Record& record);
// The same for records whose bytes do not tell them apart (the 0 that a dish measured in one second, and in another):
// `identity`, which must name the thing for good, takes the place of the original.
void SealRecord(const ReadOptions& options, std::string_view kind, std::string_view reader, std::string_view identity,
                Record& record);

}  // namespace rhodes

#endif  // RHODES_SOURCE_ROW_BUILDER_H_
