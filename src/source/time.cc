#include "source/time.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <string>

#include "base/text.h"
#include "source/arabic.h"

namespace rhodes {
namespace {

constexpr int64_t kSecond = 1'000'000;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

struct Moment {
  int year = 0;
  int month = 0;
  int day = 0;
  int64_t in_day = 0;  // microseconds
  int64_t offset = 0;  // of the zone, in seconds east of UTC
  TimePrecision precision = TimePrecision::kDay;
  bool has_zone = false;
};

std::optional<Instant> ToInstant(const Moment& moment) {
  const std::chrono::year_month_day date{std::chrono::year(moment.year),
                                         std::chrono::month(static_cast<unsigned>(moment.month)),
                                         std::chrono::day(static_cast<unsigned>(moment.day))};
  if (!date.ok() || moment.year < 1 || moment.year > 9999) return std::nullopt;
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return Instant{days * 86400 * kSecond + moment.in_day - moment.offset * kSecond, moment.precision, moment.has_zone};
}

// A cursor over the text; every Take... moves it on success only.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool AtEnd() const { return position_ == text_.size(); }
  char Peek() const { return AtEnd() ? '\0' : text_[position_]; }
  bool Take(char c) {
    if (Peek() != c || AtEnd()) return false;
    ++position_;
    return true;
  }
  void SkipSpaces() {
    while (Peek() == ' ' || Peek() == '\t') ++position_;
  }
  // Between `least` and `most` digits.
  bool TakeNumber(int least, int most, int* number) {
    int value = 0;
    int count = 0;
    while (count < most && position_ + static_cast<size_t>(count) < text_.size() &&
           IsDigit(text_[position_ + static_cast<size_t>(count)])) {
      value = value * 10 + (text_[position_ + static_cast<size_t>(count)] - '0');
      ++count;
    }
    if (count < least) return false;
    position_ += static_cast<size_t>(count);
    *number = value;
    return true;
  }
  std::string_view TakeWord() {
    const size_t begin = position_;
    while ((Peek() >= 'A' && Peek() <= 'Z') || (Peek() >= 'a' && Peek() <= 'z')) ++position_;
    return text_.substr(begin, position_ - begin);
  }
  // HH:MM[:SS[.fraction]]
  bool TakeClock(Moment* moment) {
    const size_t begin = position_;
    int hour = 0;
    int minute = 0;
    int second = 0;
    if (!TakeNumber(1, 2, &hour) || !Take(':') || !TakeNumber(2, 2, &minute)) {
      position_ = begin;
      return false;
    }
    int64_t fraction = 0;
    TimePrecision precision = TimePrecision::kMinute;
    if (Take(':')) {
      if (!TakeNumber(2, 2, &second)) return false;
      precision = TimePrecision::kSecond;
      if (Take('.') || Take(',')) {
        const size_t digits = position_;
        int64_t scale = kSecond;
        while (IsDigit(Peek())) {
          scale /= 10;
          fraction += (Peek() - '0') * scale;
          ++position_;
        }
        if (position_ > digits) {
          precision = position_ - digits <= 3 ? TimePrecision::kMillisecond : TimePrecision::kMicrosecond;
        }
      }
    }
    if (hour > 24 || minute > 59 || second > 60) return false;
    moment->in_day = ((hour * 60 + minute) * 60 + second) * kSecond + fraction;
    moment->precision = precision;
    return true;
  }
  // Z, UTC, GMT+0100, +01:00, -0500, EST, nothing.
  bool TakeZone(Moment* moment) {
    SkipSpaces();
    const size_t before = position_;
    if (!TakeZoneOffset(&moment->offset)) return false;
    moment->has_zone = position_ > before;
    return true;
  }
  bool TakeZoneOffset(int64_t* offset) {
    *offset = 0;
    const size_t begin = position_;
    const std::string word = LowerAscii(TakeWord());
    if (!word.empty() && !ZoneOfWord(word, offset)) {
      position_ = begin;
      return false;
    }
    if (Peek() == '+' || Peek() == '-') {
      const int64_t sign = Peek() == '+' ? 1 : -1;
      ++position_;
      int hours = 0;
      int minutes = 0;
      if (!TakeNumber(2, 2, &hours)) return false;
      Take(':');
      if (IsDigit(Peek()) && !TakeNumber(2, 2, &minutes)) return false;
      if (hours > 23 || minutes > 59) return false;
      *offset = sign * (hours * 3600 + minutes * 60);
    }
    return true;
  }

 private:
  static bool ZoneOfWord(const std::string& word, int64_t* offset) {
    struct Zone {
      const char* name;
      int hours;
    };
    // RFC 2822, section 4.3, and those that occur in old changelogs.
    static constexpr std::array<Zone, 17> kZones = {{{"z", 0},
                                                     {"ut", 0},
                                                     {"utc", 0},
                                                     {"gmt", 0},
                                                     {"est", -5},
                                                     {"edt", -4},
                                                     {"cst", -6},
                                                     {"cdt", -5},
                                                     {"mst", -7},
                                                     {"mdt", -6},
                                                     {"pst", -8},
                                                     {"pdt", -7},
                                                     {"met", 1},
                                                     {"mest", 2},
                                                     {"cet", 1},
                                                     {"cest", 2},
                                                     {"jst", 9}}};
    for (const Zone& zone : kZones) {
      if (word == zone.name) {
        *offset = zone.hours * 3600;
        return true;
      }
    }
    return false;
  }

  std::string_view text_;
  size_t position_ = 0;
};

int MonthOfWord(std::string_view word) {
  static constexpr std::array<std::string_view, 12> kMonths = {"january",   "february", "march",    "april",
                                                               "may",       "june",     "july",     "august",
                                                               "september", "october",  "november", "december"};
  const std::string lower = LowerAscii(word);
  if (lower.size() < 3) return 0;
  if (lower == "sept") return 9;
  for (size_t i = 0; i < kMonths.size(); ++i) {
    if (lower == kMonths[i] || lower == kMonths[i].substr(0, 3)) return static_cast<int>(i) + 1;
  }
  return 0;
}

bool IsWeekday(std::string_view word) {
  static constexpr std::array<std::string_view, 7> kDays = {"monday", "tuesday",  "wednesday", "thursday",
                                                            "friday", "saturday", "sunday"};
  const std::string lower = LowerAscii(word);
  for (const std::string_view day : kDays) {
    if (lower.size() >= 3 && day.starts_with(lower)) return true;
  }
  return false;
}

std::optional<Instant> ParseIso(std::string_view text) {
  Scanner scanner(text);
  Moment moment;
  if (!scanner.TakeNumber(4, 4, &moment.year)) return std::nullopt;
  const char separator = scanner.Peek();
  if (separator == '-' || separator == '/') {
    scanner.Take(separator);
    if (!scanner.TakeNumber(1, 2, &moment.month) || !scanner.Take(separator) ||
        !scanner.TakeNumber(1, 2, &moment.day)) {
      return std::nullopt;
    }
  } else if (!scanner.TakeNumber(2, 2, &moment.month) || !scanner.TakeNumber(2, 2, &moment.day)) {
    return std::nullopt;
  }
  if (scanner.AtEnd()) return ToInstant(moment);
  if (!scanner.Take('T') && !scanner.Take('t') && !scanner.Take(' ')) return std::nullopt;
  scanner.SkipSpaces();
  if (!scanner.TakeClock(&moment) || !scanner.TakeZone(&moment) || !scanner.AtEnd()) return std::nullopt;
  return ToInstant(moment);
}

// Dates with the month's name: weekday, day, month, year, clock and zone in any order that occurs.
std::optional<Instant> ParseNamedMonth(std::string_view text) {
  Scanner scanner(text);
  Moment moment;
  bool has_clock = false;
  bool has_zone = false;
  while (true) {
    scanner.SkipSpaces();
    while (scanner.Take(',')) scanner.SkipSpaces();
    if (scanner.AtEnd() || scanner.Peek() == '(') break;  // "(CET)" repeats the zone in words
    if (IsDigit(scanner.Peek())) {
      if (!has_clock && scanner.TakeClock(&moment)) {
        has_clock = true;
        continue;
      }
      int number = 0;
      if (!scanner.TakeNumber(1, 4, &number) || IsDigit(scanner.Peek())) return std::nullopt;
      if (moment.day == 0 && number >= 1 && number <= 31) {
        moment.day = number;
      } else if (moment.year == 0) {
        // Two-digit years as RFC 2822, section 4.3 reads them.
        moment.year = number < 50 ? number + 2000 : number < 1000 ? number + 1900 : number;
      } else {
        return std::nullopt;
      }
      scanner.Take('-');  // 29-Feb-2024
      continue;
    }
    if (scanner.Peek() == '+' || scanner.Peek() == '-') {
      if (has_zone || !has_clock || !scanner.TakeZone(&moment)) return std::nullopt;
      has_zone = true;
      continue;
    }
    Scanner before = scanner;
    const std::string_view word = scanner.TakeWord();
    if (word.empty()) return std::nullopt;
    if (moment.month == 0 && MonthOfWord(word) != 0) {
      moment.month = MonthOfWord(word);
      scanner.Take('-');
      scanner.Take('.');
    } else if (IsWeekday(word)) {
      scanner.Take('.');
    } else if (LowerAscii(word) == "dst" && has_zone) {  // "MET DST"
      moment.offset += 3600;
    } else {
      scanner = before;
      if (has_zone || !has_clock || !scanner.TakeZone(&moment)) return std::nullopt;
      has_zone = true;
    }
  }
  if (moment.year == 0 || moment.month == 0 || moment.day == 0) return std::nullopt;
  return ToInstant(moment);
}

}  // namespace

std::optional<Instant> InstantOfNumber(double number) {
  const double magnitude = std::fabs(number);
  if (!(magnitude >= 1e8)) return std::nullopt;
  double microseconds = number * 1e6;
  TimePrecision precision = TimePrecision::kSecond;
  if (magnitude >= 1e17) {
    microseconds = number / 1e3;
    precision = TimePrecision::kMicrosecond;
  } else if (magnitude >= 1e14) {
    microseconds = number;
    precision = TimePrecision::kMicrosecond;
  } else if (magnitude >= 1e11) {
    microseconds = number * 1e3;
    precision = TimePrecision::kMillisecond;
  } else if (number != std::floor(number)) {
    precision = TimePrecision::kMicrosecond;
  }
  if (std::fabs(microseconds) > 2.5e17) return std::nullopt;  // beyond the year 9999
  return Instant{std::llround(microseconds), precision, true};
}

std::optional<int64_t> TimeOfNumber(double number) {
  const std::optional<Instant> instant = InstantOfNumber(number);
  return instant ? std::optional(instant->time) : std::nullopt;
}

std::optional<Instant> ParseInstant(std::string_view text) {
  text = Trim(text);
  const bool ascii = std::none_of(text.begin(), text.end(), [](char c) { return static_cast<uint8_t>(c) >= 0x80; });
  if (!ascii && text.size() <= 160) {
    const std::string digits = AsciiDigits(text);
    const bool converted =
        std::none_of(digits.begin(), digits.end(), [](char c) { return static_cast<uint8_t>(c) >= 0x80; });
    return converted ? ParseInstant(digits) : ParseArabicInstant(text);
  }
  if (text.size() < 6 || text.size() > 64) return std::nullopt;
  if (text.find_first_not_of("0123456789.-+") == std::string_view::npos) {
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size() && !(text.size() == 8 && number > 0)) {
      return InstantOfNumber(number);
    }
  }
  if (IsDigit(text[0])) {
    if (const std::optional<Instant> time = ParseIso(text)) return time;
  }
  return ParseNamedMonth(text);
}

std::optional<int64_t> ParseTime(std::string_view text) {
  const std::optional<Instant> instant = ParseInstant(text);
  return instant ? std::optional(instant->time) : std::nullopt;
}

}  // namespace rhodes
