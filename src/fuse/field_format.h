// How one value becomes text, and what the text says of it again.
#ifndef RHODES_FUSE_FIELD_FORMAT_H_
#define RHODES_FUSE_FIELD_FORMAT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "fuse/units.h"

namespace rhodes {

enum class DigitStyle : uint8_t { kWestern, kArabicIndic };

struct TextStyle {
  TextLanguage language = TextLanguage::kEnglish;
  DigitStyle digits = DigitStyle::kWestern;
};

// One value of a row. `text` is a view into the row.
struct FieldValue {
  enum class Kind : uint8_t { kNull, kNumber, kInteger, kText, kTime, kBool };
  Kind kind = Kind::kNull;
  double number = 0;    // kNumber: finite
  int64_t integer = 0;  // kInteger, kBool; kTime: microseconds since 1970-01-01T00:00:00Z
  std::string_view text;

  static FieldValue Number(double number);  // NaN and infinity are null
  static FieldValue Integer(int64_t integer) { return {Kind::kInteger, 0, integer, {}}; }
  static FieldValue Text(std::string_view text) { return {Kind::kText, 0, 0, text}; }
  static FieldValue Time(int64_t time) { return {Kind::kTime, 0, time, {}}; }
  static FieldValue Bool(bool value) { return {Kind::kBool, 0, value ? 1 : 0, {}}; }
  bool null() const { return kind == Kind::kNull; }
};

// What stands behind the colon of a placeholder.
struct FieldFormat {
  enum class Kind : uint8_t {
    kPlain,         // nothing: text as it is, numbers as short as they are exact, times as kTime
    kNumber,        // ".1f km/h", "d seconds", ",.0f m", "n"
    kDate,          // "date": 3 March 2024
    kClock,         // "clock": 14:05
    kClockSeconds,  // "clock(s)": 14:05:09
    kTime,          // "time": 3 March 2024, 14:05 UTC
    kTimeSeconds,   // "time(s)": 3 March 2024, 14:05:09 UTC
    kIso,           // "iso": 2024-03-03T14:05:09Z
    kWeekday,       // "weekday": Sunday
    kCoordinates,   // "coordinates", "coordinates(2)": 48.8566° N, 2.3522° E
  };
  Kind kind = Kind::kPlain;
  int decimals = -1;     // kNumber; -1: as short as it is exact. kCoordinates: 0 to 9
  bool grouped = false;  // 1,234,567
  std::string gap;       // between number and unit: " " or nothing
  std::optional<UnitForms> unit;

  bool IsTime() const { return kind >= Kind::kDate && kind <= Kind::kWeekday; }
};
// INVALID_ARGUMENT saying what is wrong and what there is.
absl::StatusOr<FieldFormat> ParseFieldFormat(std::string_view text, TextLanguage language);

// Appends `value`, which is not null. For kCoordinates `value` is the latitude. Deterministic: no locale, no time zone
// but UTC, numbers rounded half to even in their exact binary value.
void AppendField(const FieldFormat& format, const TextStyle& style, const FieldValue& value,
                 const FieldValue& longitude, std::string& out);

// What a text says where a field stands.
struct StatedValue {
  enum class Kind : uint8_t {
    kNumber,  // `number`, to the decimals of the format; `latitude` and `longitude` of coordinates come as two
    kTime,    // `time` in microseconds since 1970, to the unit that the format states
    kClock,   // `time` in microseconds since midnight
    kText,    // `text`
  };
  Kind kind = Kind::kText;
  double number = 0;
  int64_t time = 0;
  std::string text;
};

// Reads what AppendField() wrote with `format` at the beginning of `text`: its length, or nothing. Formats whose length
// the text tells; not kPlain. `second` is the longitude of kCoordinates.
std::optional<size_t> ReadField(const FieldFormat& format, const TextStyle& style, std::string_view text,
                                StatedValue& value, StatedValue& second);

}  // namespace rhodes

#endif  // RHODES_FUSE_FIELD_FORMAT_H_
