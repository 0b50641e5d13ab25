#include "world/clock.h"

#include <fmt/format.h>

#include <array>

namespace rhodes {
namespace {

constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<const char*, 7> kLongDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                  "Thursday", "Friday", "Saturday"};
constexpr std::array<const char*, 7> kArabicDays = {"الأحد",  "الاثنين", "الثلاثاء", "الأربعاء",
                                                    "الخميس", "الجمعة",  "السبت"};
constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

bool IsLeap(int year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

}  // namespace

CivilTime CivilOf(int64_t time) {
  CivilTime civil;
  const int64_t days = time / kWorldDay;
  const int64_t rest = time % kWorldDay;
  // Days to the calendar, by eras of 400 years (Hinnant, "chrono-compatible low-level date algorithms").
  const int64_t z = days + 719468;
  const int64_t era = z / 146097;
  const int64_t day_of_era = z - era * 146097;
  const int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_march_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t shifted_month = (5 * day_of_march_year + 2) / 153;
  civil.day = static_cast<int>(day_of_march_year - (153 * shifted_month + 2) / 5 + 1);
  civil.month = static_cast<int>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
  civil.year = static_cast<int>(year_of_era + era * 400 + (civil.month <= 2 ? 1 : 0));
  constexpr std::array<int, 12> kBefore = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
  civil.day_of_year =
      kBefore[static_cast<size_t>(civil.month - 1)] + civil.day + (civil.month > 2 && IsLeap(civil.year) ? 1 : 0);
  civil.weekday = static_cast<int>((days + 4) % 7);
  civil.hour = static_cast<int>(rest / kWorldHour);
  civil.minute = static_cast<int>(rest / kWorldMinute % 60);
  civil.second = static_cast<int>(rest / kWorldSecond % 60);
  civil.microsecond = static_cast<int>(rest % kWorldSecond);
  return civil;
}

std::string IsoSeconds(int64_t time) {
  const CivilTime c = CivilOf(time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", c.year, c.month, c.day, c.hour, c.minute, c.second);
}

std::string IsoMilliseconds(int64_t time) {
  const CivilTime c = CivilOf(time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", c.year, c.month, c.day, c.hour, c.minute, c.second,
                     c.microsecond / 1000);
}

std::string LocalSeconds(int64_t time) {
  const CivilTime c = CivilOf(time + kWorldZone);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", c.year, c.month, c.day, c.hour, c.minute, c.second);
}

std::string XTime(int64_t time) {
  const CivilTime c = CivilOf(time);
  return fmt::format("{} {} {:02} {:02}:{:02}:{:02} +0000 {}", kDays[static_cast<size_t>(c.weekday)],
                     kMonths[static_cast<size_t>(c.month - 1)], c.day, c.hour, c.minute, c.second, c.year);
}

std::string FeedTime(int64_t time) {
  const CivilTime c = CivilOf(time);
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", kDays[static_cast<size_t>(c.weekday)], c.day,
                     kMonths[static_cast<size_t>(c.month - 1)], c.year, c.hour, c.minute, c.second);
}

std::string ClockTime(int64_t time) {
  const CivilTime c = CivilOf(time + kWorldZone);
  return fmt::format("{:02}:{:02}", c.hour, c.minute);
}

std::string WeekdayName(int64_t time, bool arabic) {
  const auto day = static_cast<size_t>(CivilOf(time + kWorldZone).weekday);
  return arabic ? kArabicDays[day] : kLongDays[day];
}

uint64_t SnowflakeOf(int64_t time) {
  constexpr int64_t kEpochMilliseconds = 1'288'834'974'657;
  return static_cast<uint64_t>(time / 1000 - kEpochMilliseconds) << 22;
}

int64_t GpsNanosecondsOf(int64_t time) {
  constexpr int64_t kGpsEpoch = 315'964'800;
  constexpr int64_t kLeapSeconds = 18;
  return (time + (kLeapSeconds - kGpsEpoch) * kWorldSecond) * 1000;
}

}  // namespace rhodes
