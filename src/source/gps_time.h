// Times as satellites and their dishes count them: since the GPS epoch, and by the day of the year.
#ifndef RHODES_SOURCE_GPS_TIME_H_
#define RHODES_SOURCE_GPS_TIME_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "source/time.h"

namespace rhodes {

// GPS time counts seconds from 1980-01-06T00:00:00Z without leap seconds. Returns microseconds since 1970 in UTC, what
// is finer cut off: 18 seconds behind since 2017, less before (the table ends there: none has been announced since).
// During an inserted second UTC has no number of its own; it is given those of the second that follows.
int64_t UnixOfGpsNanoseconds(int64_t nanoseconds);
// The same of microseconds since the GPS epoch; nothing when the result is no 64-bit number.
std::optional<int64_t> UnixOfGpsMicroseconds(int64_t microseconds);

// Microseconds since 1970 at the beginning of the `day`-th day (1 to 365 or 366) of `year`; nothing when there is no
// such day.
std::optional<int64_t> StartOfDayOfYear(int year, int day);

// "2007-064T10:34:41.4264", with Z or nothing behind it; and everything that ParseInstant() reads.
std::optional<Instant> ParseOrbitTime(std::string_view text);

// The time of day in two digits each; nothing when it is not on the clock. 60 seconds are those of a leap second.
std::optional<int64_t> MicrosecondsOfClock(int hour, int minute, int second);

}  // namespace rhodes

#endif  // RHODES_SOURCE_GPS_TIME_H_
