// Points in time as sources write them.
#ifndef RHODES_SOURCE_TIME_H_
#define RHODES_SOURCE_TIME_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "record/record.h"

namespace rhodes {

struct Instant {
  int64_t time = 0;  // microseconds since 1970-01-01T00:00:00Z
  TimePrecision precision = TimePrecision::kNone;
  bool has_zone = false;  // the text says which zone it is in; without, UTC was taken
};

// Microseconds since 1970-01-01T00:00:00Z, or nothing when `text` is no date that is understood without guessing:
//   2024-02-29T12:00:00.123456Z  2024-02-29 12:00  2024-02-29  2024/02/29  20240229  (ISO 8601; offsets +02:00, +0200)
//   Thu, 29 Feb 2024 12:00:00 +0100   29 Feb 2024 12:00 GMT                          (RFC 2822, obsolete zones too)
//   Thu Nov 03 08:50:26 +0000 2022   Tue Nov 19 2019 03:05:46 GMT+0000               (ctime, X, JavaScript)
//   1709208000  1709208000.5  1709208000123                                          (see TimeOfNumber)
// A time without zone is taken as UTC. 03/04/2024 is refused: half the world reads it the other way.
std::optional<int64_t> ParseTime(std::string_view text);
// The same with what the text states: "2024-02-29" is a day, "12:00" a minute, ".5" a millisecond. Years and months
// alone ("2024-02") are not read: other numbers look like them.
std::optional<Instant> ParseInstant(std::string_view text);

// A count since 1970 in seconds, milliseconds, microseconds or nanoseconds, told apart by magnitude (seconds until the
// year 5138). Below 10^8, March 1973 in seconds, it is taken for a relative time and refused.
std::optional<int64_t> TimeOfNumber(double number);
std::optional<Instant> InstantOfNumber(double number);

}  // namespace rhodes

#endif  // RHODES_SOURCE_TIME_H_
