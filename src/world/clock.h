// The world's time, and the forms in which its systems write it.
//
// Time is microseconds since 1970-01-01T00:00:00Z. All arithmetic is on integers.
#ifndef RHODES_WORLD_CLOCK_H_
#define RHODES_WORLD_CLOCK_H_

#include <cstdint>
#include <string>

namespace rhodes {

inline constexpr int64_t kWorldSecond = 1'000'000;
inline constexpr int64_t kWorldMinute = 60 * kWorldSecond;
inline constexpr int64_t kWorldHour = 60 * kWorldMinute;
inline constexpr int64_t kWorldDay = 24 * kWorldHour;
// Monday, 2026-03-02T00:00:00Z.
inline constexpr int64_t kWorldStart = 1'772'409'600 * kWorldSecond;
// The towns' clocks: UTC+3 all year, as in Asia/Riyadh.
inline constexpr int64_t kWorldZone = 3 * kWorldHour;

// A time cut into the calendar's parts.
struct CivilTime {
  int year = 1970;
  int month = 1;
  int day = 1;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int microsecond = 0;
  int weekday = 4;  // 0: Sunday
  int day_of_year = 1;
};
// Times from 1970 on.
CivilTime CivilOf(int64_t time);

std::string IsoSeconds(int64_t time);                // 2026-03-02T00:00:00Z
std::string IsoMilliseconds(int64_t time);           // 2026-03-02T00:00:00.000Z
std::string LocalSeconds(int64_t time);              // 2026-03-02 03:00:00, by the towns' clocks
std::string XTime(int64_t time);                     // Mon Mar 02 00:00:00 +0000 2026
std::string FeedTime(int64_t time);                  // Mon, 02 Mar 2026 00:00:00 GMT
std::string ClockTime(int64_t time);                 // 03:00, by the towns' clocks
std::string WeekdayName(int64_t time, bool arabic);  // by the towns' clocks
// The first number of X's for a post of that time (its "snowflake"; docs/sources/x.md).
uint64_t SnowflakeOf(int64_t time);
// Nanoseconds since the GPS epoch, as dishes count: no leap seconds, 18 s ahead of UTC since 2017.
int64_t GpsNanosecondsOf(int64_t time);

}  // namespace rhodes

#endif  // RHODES_WORLD_CLOCK_H_
