#include "source/gps_time.h"

#include <array>
#include <charconv>
#include <chrono>
#include <string>

#include "base/status.h"
#include "base/text.h"

namespace rhodes {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kDay = 86400 * kSecond;
constexpr int64_t kGpsEpoch = 315964800;  // 1980-01-06 in seconds since 1970

struct LeapSecond {
  int64_t since;   // in seconds since 1970
  int64_t behind;  // how far UTC is behind GPS from then on
};
// The IERS's Bulletin C, since the GPS epoch.
constexpr std::array<LeapSecond, 18> kLeapSeconds = {{{362793600, 1},
                                                      {394329600, 2},
                                                      {425865600, 3},
                                                      {489024000, 4},
                                                      {567993600, 5},
                                                      {631152000, 6},
                                                      {662688000, 7},
                                                      {709948800, 8},
                                                      {741484800, 9},
                                                      {773020800, 10},
                                                      {820454400, 11},
                                                      {867715200, 12},
                                                      {915148800, 13},
                                                      {1136073600, 14},
                                                      {1230768000, 15},
                                                      {1341100800, 16},
                                                      {1435708800, 17},
                                                      {1483228800, 18}}};

int64_t FloorDivide(int64_t number, int64_t by) {
  const int64_t quotient = number / by;
  return number % by < 0 ? quotient - 1 : quotient;
}

bool AllDigits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

int NumberOfDigits(std::string_view digits) {
  int number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

}  // namespace

std::optional<int64_t> UnixOfGpsMicroseconds(int64_t microseconds) {
  if (microseconds > INT64_MAX - kGpsEpoch * kSecond) return std::nullopt;
  const int64_t unix = microseconds + kGpsEpoch * kSecond;
  int64_t behind = 0;
  for (const LeapSecond& leap : kLeapSeconds) {
    if (unix >= (leap.since + leap.behind) * kSecond) behind = leap.behind;
  }
  return unix - behind * kSecond;
}

int64_t UnixOfGpsNanoseconds(int64_t nanoseconds) {
  // A 64-bit count of nanoseconds is 292 years at most: in microseconds it fits with any epoch.
  return *UnixOfGpsMicroseconds(FloorDivide(nanoseconds, 1000));
}

std::optional<int64_t> StartOfDayOfYear(int year, int day) {
  const std::chrono::year which(year);
  if (year < 1 || year > 9999 || day < 1 || day > (which.is_leap() ? 366 : 365)) return std::nullopt;
  const std::chrono::sys_days first(which / std::chrono::January / 1);
  return (first.time_since_epoch().count() + day - 1) * kDay;
}

std::optional<int64_t> MicrosecondsOfClock(int hour, int minute, int second) {
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return std::nullopt;
  return ((hour * 60 + minute) * 60 + second) * kSecond;
}

std::optional<Instant> ParseOrbitTime(std::string_view text) {
  text = Trim(text);
  const bool by_day =
      text.size() >= 8 && AllDigits(text.substr(0, 4)) && text[4] == '-' && AllDigits(text.substr(5, 3));
  if (!by_day || (text.size() > 8 && text[8] != 'T')) return ParseInstant(text);
  const std::optional<int64_t> start =
      StartOfDayOfYear(NumberOfDigits(text.substr(0, 4)), NumberOfDigits(text.substr(5, 3)));
  if (!start) return std::nullopt;
  if (text.size() == 8) return Instant{*start, TimePrecision::kDay, false};
  // The clock is read where any other time's is: behind the first day of 1970.
  std::optional<Instant> clock = ParseInstant("1970-01-01" + std::string(text.substr(8)));
  if (!clock) return std::nullopt;
  clock->time += *start;
  return clock;
}

}  // namespace rhodes
