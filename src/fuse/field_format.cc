#include "fuse/field_format.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <vector>

#include "base/text.h"

namespace rhodes {
namespace {

using std::chrono::days;
using std::chrono::year_month_day;

constexpr int64_t kMicrosecondsPerSecond = 1'000'000;
constexpr int64_t kSecondsPerDay = 86'400;
constexpr int kMaxDecimals = 9;

constexpr std::array<std::string_view, 12> kEnglishMonths = {"January",   "February", "March",    "April",
                                                             "May",       "June",     "July",     "August",
                                                             "September", "October",  "November", "December"};
constexpr std::array<std::string_view, 12> kArabicMonths = {"يناير", "فبراير", "مارس",   "أبريل",  "مايو",   "يونيو",
                                                            "يوليو", "أغسطس",  "سبتمبر", "أكتوبر", "نوفمبر", "ديسمبر"};
constexpr std::array<std::string_view, 7> kEnglishDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                          "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 7> kArabicDays = {"الأحد",  "الاثنين", "الثلاثاء", "الأربعاء",
                                                         "الخميس", "الجمعة",  "السبت"};

// The words around numbers.
struct Phrases {
  std::string_view before_clock;
  std::string_view zone;
  std::string_view north, south, east, west;
  std::string_view between;
  std::string_view yes, no;
};
constexpr Phrases kEnglish = {", ", " UTC", "° N", "° S", "° E", "° W", ", ", "yes", "no"};
constexpr Phrases kArabic = {"، ", " بالتوقيت العالمي", "° شمالًا", "° جنوبًا", "° شرقًا", "° غربًا", "، ", "نعم", "لا"};

const Phrases& PhrasesOf(TextLanguage language) { return language == TextLanguage::kArabic ? kArabic : kEnglish; }
const std::array<std::string_view, 12>& MonthsOf(TextLanguage language) {
  return language == TextLanguage::kArabic ? kArabicMonths : kEnglishMonths;
}
const std::array<std::string_view, 7>& DaysOf(TextLanguage language) {
  return language == TextLanguage::kArabic ? kArabicDays : kEnglishDays;
}

constexpr std::string_view kArabicPoint = "\xD9\xAB";  // U+066B
constexpr std::string_view kArabicComma = "\xD9\xAC";  // U+066C

// ASCII digits, point and comma in the wanted digits.
void AppendDigits(std::string_view ascii, DigitStyle digits, std::string& out) {
  if (digits == DigitStyle::kWestern) {
    out += ascii;
    return;
  }
  for (const char c : ascii) {
    if (c >= '0' && c <= '9') {
      out += '\xD9';
      out += static_cast<char>(0xA0 + (c - '0'));
    } else if (c == '.') {
      out += kArabicPoint;
    } else if (c == ',') {
      out += kArabicComma;
    } else {
      out += c;
    }
  }
}

void AppendTwo(int64_t value, DigitStyle digits, std::string& out) {
  const std::array<char, 2> ascii = {static_cast<char>('0' + value / 10), static_cast<char>('0' + value % 10)};
  AppendDigits({ascii.data(), 2}, digits, out);
}

void AppendWhole(int64_t value, DigitStyle digits, std::string& out) {
  std::array<char, 24> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  AppendDigits({buffer.data(), static_cast<size_t>(end.ptr - buffer.data())}, digits, out);
}

// ASCII digits of a number; "-0.0" loses its sign.
std::string_view Digits(const FieldValue& value, int decimals, std::array<char, 400>& buffer) {
  char* const begin = buffer.data();
  char* const end = begin + buffer.size();
  std::to_chars_result written{};
  if (value.kind == FieldValue::Kind::kInteger && decimals <= 0) {
    written = std::to_chars(begin, end, value.integer);
  } else {
    const double number =
        value.kind == FieldValue::Kind::kInteger ? static_cast<double>(value.integer) : value.number + 0.0;
    if (decimals >= 0) {
      written = std::to_chars(begin, end, number, std::chars_format::fixed, decimals);
    } else {
      const double size = std::abs(number);
      const bool plain = size == 0 || (size >= 1e-6 && size < 1e15);
      written = std::to_chars(begin, end, number, plain ? std::chars_format::fixed : std::chars_format::scientific);
    }
  }
  std::string_view digits(begin, static_cast<size_t>(written.ptr - begin));
  if (digits.starts_with('-') && digits.find_first_not_of("-0.") == std::string_view::npos) digits.remove_prefix(1);
  return digits;
}

std::string Grouped(std::string_view digits) {
  std::string out;
  if (digits.starts_with('-')) {
    out += '-';
    digits.remove_prefix(1);
  }
  const size_t whole = std::min(digits.find_first_of(".e"), digits.size());
  for (size_t i = 0; i < whole; ++i) {
    if (i > 0 && (whole - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  out += digits.substr(whole);
  return out;
}

void AppendNumber(const FieldFormat& format, const TextStyle& style, const FieldValue& value, std::string& out) {
  std::array<char, 400> buffer;
  const std::string_view digits = Digits(value, format.decimals, buffer);
  if (format.unit.has_value() && format.unit->says_number && (digits == "1" || digits == "2")) {
    out += digits == "1" ? format.unit->one : format.unit->two;
    return;
  }
  if (format.grouped) {
    AppendDigits(Grouped(digits), style.digits, out);
  } else {
    AppendDigits(digits, style.digits, out);
  }
  if (!format.unit.has_value()) return;
  out += format.gap;
  out += format.unit->For(digits, style.language);
}

struct Civil {
  int64_t year;
  int64_t month;
  int64_t day;
  int64_t weekday;
  int64_t second;  // of the day
};

Civil CivilOf(int64_t time) {
  const int64_t seconds = time / kMicrosecondsPerSecond - (time % kMicrosecondsPerSecond < 0 ? 1 : 0);
  const int64_t day = seconds / kSecondsPerDay - (seconds % kSecondsPerDay < 0 ? 1 : 0);
  const std::chrono::sys_days date{days(day)};
  const year_month_day civil(date);
  // std::chrono counts years in 16 bits, which is enough for all that a source says.
  return {int{civil.year()}, unsigned{civil.month()}, unsigned{civil.day()},
          static_cast<int64_t>(std::chrono::weekday(date).c_encoding()), seconds - day * kSecondsPerDay};
}

void AppendClock(const Civil& civil, bool seconds, DigitStyle digits, std::string& out) {
  AppendTwo(civil.second / 3600, digits, out);
  out += ':';
  AppendTwo(civil.second / 60 % 60, digits, out);
  if (!seconds) return;
  out += ':';
  AppendTwo(civil.second % 60, digits, out);
}

void AppendDate(const Civil& civil, const TextStyle& style, std::string& out) {
  AppendWhole(civil.day, style.digits, out);
  out += ' ';
  out += MonthsOf(style.language)[static_cast<size_t>(civil.month - 1)];
  out += ' ';
  AppendWhole(civil.year, style.digits, out);
}

void AppendIso(const Civil& civil, std::string& out) {
  out += fmt::format("{:04}-{:02}-{:02}T", civil.year, civil.month, civil.day);
  AppendClock(civil, true, DigitStyle::kWestern, out);
  out += 'Z';
}

void AppendTime(FieldFormat::Kind kind, const TextStyle& style, int64_t time, std::string& out) {
  using Kind = FieldFormat::Kind;
  const Civil civil = CivilOf(time);
  const bool seconds = kind == Kind::kTimeSeconds || kind == Kind::kClockSeconds;
  if (kind == Kind::kIso) return AppendIso(civil, out);
  if (kind == Kind::kWeekday) {
    out += DaysOf(style.language)[static_cast<size_t>(civil.weekday)];
    return;
  }
  const bool clock_only = kind == Kind::kClock || kind == Kind::kClockSeconds;
  if (!clock_only) AppendDate(civil, style, out);
  if (kind == Kind::kDate) return;
  if (!clock_only) out += PhrasesOf(style.language).before_clock;
  AppendClock(civil, seconds, style.digits, out);
  if (!clock_only) out += PhrasesOf(style.language).zone;
}

void AppendAngle(double degrees, int decimals, std::string_view above, std::string_view below, DigitStyle digits,
                 std::string& out) {
  std::array<char, 400> buffer;
  std::string_view ascii = Digits(FieldValue::Number(degrees), decimals, buffer);
  const bool negative = ascii.starts_with('-');
  if (negative) ascii.remove_prefix(1);
  AppendDigits(ascii, digits, out);
  out += negative ? below : above;
}

double AsDouble(const FieldValue& value) {
  return value.kind == FieldValue::Kind::kInteger ? static_cast<double>(value.integer) : value.number;
}

void AppendPlain(const TextStyle& style, const FieldValue& value, std::string& out) {
  switch (value.kind) {
    case FieldValue::Kind::kNull:
      return;
    case FieldValue::Kind::kText:
      out += value.text;
      return;
    case FieldValue::Kind::kBool:
      out += value.integer != 0 ? PhrasesOf(style.language).yes : PhrasesOf(style.language).no;
      return;
    case FieldValue::Kind::kTime:
      return AppendTime(FieldFormat::Kind::kTime, style, value.integer, out);
    case FieldValue::Kind::kNumber:
    case FieldValue::Kind::kInteger:
      return AppendNumber({}, style, value, out);
  }
}

// Walks over a text as it is read.
class Cursor {
 public:
  Cursor(std::string_view text, const TextStyle& style) : rest_(text), size_(text.size()), style_(style) {}

  size_t taken() const { return size_ - rest_.size(); }

  bool Take(std::string_view literal) {
    if (!rest_.starts_with(literal)) return false;
    rest_.remove_prefix(literal.size());
    return true;
  }
  // The digit that comes next, as an ASCII one, or 0.
  char Peek() const {
    if (style_.digits == DigitStyle::kWestern) {
      return !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9' ? rest_[0] : '\0';
    }
    if (rest_.size() < 2 || rest_[0] != '\xD9') return '\0';
    const int digit = static_cast<unsigned char>(rest_[1]) - 0xA0;
    return digit >= 0 && digit <= 9 ? static_cast<char>('0' + digit) : '\0';
  }
  size_t DigitSize() const { return style_.digits == DigitStyle::kWestern ? 1 : 2; }
  size_t TakeDigits(std::string& ascii, size_t limit) {
    size_t count = 0;
    for (char digit = Peek(); digit != '\0' && count < limit; digit = Peek()) {
      ascii += digit;
      rest_.remove_prefix(DigitSize());
      ++count;
    }
    return count;
  }
  bool TakePoint() { return TakeBeforeDigits(style_.digits == DigitStyle::kWestern ? "." : kArabicPoint, 1); }
  bool TakeComma() { return TakeBeforeDigits(style_.digits == DigitStyle::kWestern ? "," : kArabicComma, 3); }

  bool TakeNumber(int64_t& number, size_t least, size_t most) {
    std::string ascii;
    if (TakeDigits(ascii, most) < least) return false;
    return std::from_chars(ascii.data(), ascii.data() + ascii.size(), number).ec == std::errc();
  }
  // The index of the one of `words` that comes next. Longer ones are tried first.
  template <size_t N>
  std::optional<size_t> TakeOneOf(const std::array<std::string_view, N>& words) {
    std::optional<size_t> best;
    for (size_t i = 0; i < N; ++i) {
      if (rest_.starts_with(words[i]) && (!best || words[i].size() > words[*best].size())) best = i;
    }
    if (best) rest_.remove_prefix(words[*best].size());
    return best;
  }

 private:
  bool TakeBeforeDigits(std::string_view sign, size_t digits) {
    Cursor ahead = *this;
    std::string ignored;
    if (!ahead.Take(sign) || ahead.TakeDigits(ignored, digits) < digits) return false;
    return Take(sign);
  }

  std::string_view rest_;
  size_t size_;
  const TextStyle& style_;
};

constexpr size_t kMostDigits = 330;  // of the largest double

bool TakeExponent(Cursor& cursor, std::string& ascii) {
  if (!cursor.Take("e")) return true;
  ascii += 'e';
  if (cursor.Take("-")) {
    ascii += '-';
  } else {
    cursor.Take("+");
  }
  return cursor.TakeDigits(ascii, 3) > 0;
}

bool ReadNumber(const FieldFormat& format, const TextStyle& style, Cursor& cursor, double& number) {
  if (format.unit.has_value() && format.unit->says_number && format.decimals <= 0) {
    const bool one = cursor.Take(format.unit->one);
    if (one || cursor.Take(format.unit->two)) {
      number = one ? 1 : 2;
      return true;
    }
  }
  std::string ascii;
  if (cursor.Take("-")) ascii += '-';
  if (cursor.TakeDigits(ascii, kMostDigits) == 0) return false;
  while (format.grouped && cursor.TakeComma()) cursor.TakeDigits(ascii, 3);
  if (format.decimals != 0 && cursor.TakePoint()) {
    ascii += '.';
    cursor.TakeDigits(ascii, format.decimals < 0 ? kMostDigits : static_cast<size_t>(format.decimals));
  }
  const size_t point = ascii.find('.');
  const size_t decimals = point == std::string::npos ? 0 : ascii.size() - point - 1;
  if (format.decimals >= 0 && decimals != static_cast<size_t>(format.decimals)) return false;
  if (format.decimals < 0 && !TakeExponent(cursor, ascii)) return false;
  if (std::from_chars(ascii.data(), ascii.data() + ascii.size(), number).ec != std::errc()) return false;
  if (!format.unit.has_value()) return true;
  return cursor.Take(format.gap) && cursor.Take(format.unit->For(ascii, style.language));
}

bool ReadClock(Cursor& cursor, bool seconds, int64_t& second_of_day) {
  int64_t hour = 0;
  int64_t minute = 0;
  int64_t second = 0;
  if (!cursor.TakeNumber(hour, 2, 2) || !cursor.Take(":") || !cursor.TakeNumber(minute, 2, 2)) return false;
  if (seconds && (!cursor.Take(":") || !cursor.TakeNumber(second, 2, 2))) return false;
  second_of_day = (hour * 60 + minute) * 60 + second;
  return hour < 24 && minute < 60 && second < 60;
}

std::optional<int64_t> DayNumber(int64_t year, int64_t month, int64_t day) {
  const year_month_day civil(std::chrono::year(static_cast<int>(year)),
                             std::chrono::month(static_cast<unsigned>(month)),
                             std::chrono::day(static_cast<unsigned>(day)));
  if (!civil.ok()) return std::nullopt;
  return std::chrono::sys_days(civil).time_since_epoch().count();
}

bool ReadDate(Cursor& cursor, TextLanguage language, int64_t& day_number) {
  int64_t day = 0;
  int64_t year = 0;
  if (!cursor.TakeNumber(day, 1, 2) || !cursor.Take(" ")) return false;
  const std::optional<size_t> month = cursor.TakeOneOf(MonthsOf(language));
  if (!month || !cursor.Take(" ")) return false;
  const bool before_christ = cursor.Take("-");
  if (!cursor.TakeNumber(year, 1, 5) || year > 32767) return false;
  const std::optional<int64_t> number = DayNumber(before_christ ? -year : year, static_cast<int64_t>(*month) + 1, day);
  day_number = number.value_or(0);
  return number.has_value();
}

bool ReadIso(std::string_view text, size_t& taken, int64_t& time) {
  const TextStyle western;
  Cursor cursor(text, western);
  int64_t year = 0;
  int64_t month = 0;
  int64_t day = 0;
  int64_t second = 0;
  const bool before_christ = cursor.Take("-");
  if (!cursor.TakeNumber(year, before_christ ? 3 : 4, 5) || year > 32767 || !cursor.Take("-") ||
      !cursor.TakeNumber(month, 2, 2) || !cursor.Take("-") || !cursor.TakeNumber(day, 2, 2) || !cursor.Take("T") ||
      !ReadClock(cursor, true, second) || !cursor.Take("Z")) {
    return false;
  }
  const std::optional<int64_t> number = DayNumber(before_christ ? -year : year, month, day);
  taken = cursor.taken();
  time = (number.value_or(0) * kSecondsPerDay + second) * kMicrosecondsPerSecond;
  return number.has_value();
}

bool ReadTime(FieldFormat::Kind kind, const TextStyle& style, Cursor& cursor, StatedValue& value) {
  using Kind = FieldFormat::Kind;
  const bool clock_only = kind == Kind::kClock || kind == Kind::kClockSeconds;
  const bool seconds = kind == Kind::kTimeSeconds || kind == Kind::kClockSeconds;
  int64_t day = 0;
  int64_t second = 0;
  if (!clock_only && !ReadDate(cursor, style.language, day)) return false;
  const Phrases& phrases = PhrasesOf(style.language);
  if (kind != Kind::kDate) {
    if (!clock_only && !cursor.Take(phrases.before_clock)) return false;
    if (!ReadClock(cursor, seconds, second)) return false;
    if (!clock_only && !cursor.Take(phrases.zone)) return false;
  }
  value.kind = clock_only ? StatedValue::Kind::kClock : StatedValue::Kind::kTime;
  value.time = (day * kSecondsPerDay + second) * kMicrosecondsPerSecond;
  return true;
}

bool ReadAngle(int decimals, const TextStyle& style, std::string_view above, std::string_view below, Cursor& cursor,
               double& degrees) {
  FieldFormat format;
  format.decimals = decimals;
  if (!ReadNumber(format, style, cursor, degrees)) return false;
  if (cursor.Take(above)) return true;
  degrees = -degrees;
  return cursor.Take(below);
}

// "name(3)" with `name` given: 3.
std::optional<int> Argument(std::string_view text, std::string_view name) {
  if (!text.starts_with(name) || !text.ends_with(')')) return std::nullopt;
  const std::string_view inner = text.substr(name.size(), text.size() - name.size() - 1);
  if (inner.size() != 2 || inner[0] != '(' || inner[1] < '0' || inner[1] > '9') return std::nullopt;
  return inner[1] - '0';
}

struct NamedKind {
  std::string_view name;
  FieldFormat::Kind kind;
};
constexpr NamedKind kNamed[] = {
    {"date", FieldFormat::Kind::kDate},
    {"clock", FieldFormat::Kind::kClock},
    {"clock(s)", FieldFormat::Kind::kClockSeconds},
    {"time", FieldFormat::Kind::kTime},
    {"time(s)", FieldFormat::Kind::kTimeSeconds},
    {"iso", FieldFormat::Kind::kIso},
    {"weekday", FieldFormat::Kind::kWeekday},
    {"coordinates", FieldFormat::Kind::kCoordinates},
};

}  // namespace

FieldValue FieldValue::Number(double number) {
  if (!std::isfinite(number)) return {};
  return {Kind::kNumber, number, 0, {}};
}

absl::StatusOr<FieldFormat> ParseFieldFormat(std::string_view text, TextLanguage language) {
  FieldFormat format;
  if (Trim(text).empty()) return format;
  for (const NamedKind& named : kNamed) {
    if (Trim(text) == named.name) {
      format.kind = named.kind;
      format.decimals = named.kind == FieldFormat::Kind::kCoordinates ? 4 : -1;
      return format;
    }
  }
  if (const std::optional<int> decimals = Argument(Trim(text), "coordinates")) {
    format.kind = FieldFormat::Kind::kCoordinates;
    format.decimals = *decimals;
    return format;
  }
  format.kind = FieldFormat::Kind::kNumber;
  std::string_view rest = text;
  if (rest.starts_with(',')) {
    format.grouped = true;
    rest.remove_prefix(1);
  }
  if (rest.size() >= 3 && rest[0] == '.' && rest[1] >= '0' && rest[1] <= '0' + kMaxDecimals && rest[2] == 'f') {
    format.decimals = rest[1] - '0';
    rest.remove_prefix(3);
  } else if (rest.starts_with('d') || rest.starts_with('n')) {
    format.decimals = rest[0] == 'd' ? 0 : -1;
    rest.remove_prefix(1);
  } else if (!rest.starts_with(' ')) {
    return absl::InvalidArgumentError(
        fmt::format("the format \"{}\" is none of .0f to .9f, d, n (each with a comma before and a unit behind, such "
                    "as \",.1f km/h\"), date, clock, clock(s), time, time(s), iso, weekday, coordinates(4)",
                    text));
  }
  if (rest.empty()) return format;
  if (rest.starts_with(' ')) {
    format.gap = " ";
    rest.remove_prefix(1);
  }
  ASSIGN_OR_RETURN(format.unit, FindUnit(Trim(rest), language));
  return format;
}

void AppendField(const FieldFormat& format, const TextStyle& style, const FieldValue& value,
                 const FieldValue& longitude, std::string& out) {
  switch (format.kind) {
    case FieldFormat::Kind::kPlain:
      return AppendPlain(style, value, out);
    case FieldFormat::Kind::kNumber:
      return AppendNumber(format, style, value, out);
    case FieldFormat::Kind::kCoordinates: {
      const Phrases& phrases = PhrasesOf(style.language);
      AppendAngle(AsDouble(value), format.decimals, phrases.north, phrases.south, style.digits, out);
      out += phrases.between;
      AppendAngle(AsDouble(longitude), format.decimals, phrases.east, phrases.west, style.digits, out);
      return;
    }
    default:
      return AppendTime(format.kind, style, value.integer, out);
  }
}

std::optional<size_t> ReadField(const FieldFormat& format, const TextStyle& style, std::string_view text,
                                StatedValue& value, StatedValue& second) {
  Cursor cursor(text, style);
  const Phrases& phrases = PhrasesOf(style.language);
  bool read = false;
  value = second = {};
  switch (format.kind) {
    case FieldFormat::Kind::kPlain:
      return std::nullopt;
    case FieldFormat::Kind::kNumber:
      value.kind = StatedValue::Kind::kNumber;
      read = ReadNumber(format, style, cursor, value.number);
      break;
    case FieldFormat::Kind::kCoordinates:
      value.kind = second.kind = StatedValue::Kind::kNumber;
      read = ReadAngle(format.decimals, style, phrases.north, phrases.south, cursor, value.number) &&
             cursor.Take(phrases.between) &&
             ReadAngle(format.decimals, style, phrases.east, phrases.west, cursor, second.number);
      break;
    case FieldFormat::Kind::kIso: {
      size_t taken = 0;
      value.kind = StatedValue::Kind::kTime;
      if (!ReadIso(text, taken, value.time)) return std::nullopt;
      return taken;
    }
    case FieldFormat::Kind::kWeekday:
      if (const std::optional<size_t> day = cursor.TakeOneOf(DaysOf(style.language))) {
        value.text = DaysOf(style.language)[*day];
        read = true;
      }
      break;
    default:
      read = ReadTime(format.kind, style, cursor, value);
  }
  if (!read) return std::nullopt;
  return cursor.taken();
}

}  // namespace rhodes
