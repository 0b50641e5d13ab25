// Local times of a named zone, for sources that write times without a zone.
#ifndef RHODES_SOURCE_TIME_ZONE_H_
#define RHODES_SOURCE_TIME_ZONE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "source/time.h"

namespace rhodes {

// One zone of the IANA database, with all its rules since 1970 and before. Immutable and thread-safe.
class TimeZone {
 public:
  // "Europe/Berlin", "Asia/Riyadh", "UTC"; exactly as IANA writes them. A usage error naming the nearest known one for
  // anything else, three-letter abbreviations that stand for several zones ("CST", "IST") included.
  static absl::StatusOr<std::shared_ptr<const TimeZone>> Find(std::string_view name);
  virtual ~TimeZone() = default;

  enum Kind {
    kUnique,
    kAmbiguous,  // the clock showed it twice (put back in autumn)
    kSkipped     // the clock never showed it (put forward in spring)
  };
  // kUnique: both are the instant. kAmbiguous: the earlier and the later of the two. kSkipped: the instants that the
  // time would be by the offset before and by that after the change, in this order.
  struct Instants {
    Kind kind = kUnique;
    int64_t first = 0;
    int64_t second = 0;
  };
  // `local`: microseconds since 1970-01-01T00:00:00 on the zone's clock.
  virtual Instants LocalToUtc(int64_t local) const = 0;
  // How far the zone's clock is ahead of UTC at that instant, in microseconds.
  virtual int64_t OffsetAt(int64_t utc) const = 0;
};

// The zone of ReadOptions::time_zone; null, which stands for UTC, when `name` is empty or not known (who sets it checks
// it with Find()).
std::shared_ptr<const TimeZone> ZoneOrUtc(const std::string& name);

// ParseInstant() for a source whose times without a zone are in `zone` (null: UTC). Nothing also for a local time that
// is ambiguous or skipped: which instant it is, the text does not say. A date without a clock stays that date (midnight
// UTC): moved into the zone's midnight it would be shown as the day before.
std::optional<Instant> ParseInstantIn(std::string_view text, const TimeZone* zone);

}  // namespace rhodes

#endif  // RHODES_SOURCE_TIME_ZONE_H_
