// Local times of places whose clocks are put forward and back, with ICU's copy of the IANA time zone database.
#ifndef RHODES_SOURCE_TIME_ZONE_H_
#define RHODES_SOURCE_TIME_ZONE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "base/status.h"

namespace rhodes {

// Immutable and thread-safe.
class TimeZone {
 public:
  // INVALID_ARGUMENT (usage) for a name that the database does not have.
  static absl::StatusOr<std::shared_ptr<const TimeZone>> Find(const std::string& name);
  virtual ~TimeZone() = default;

  enum class Kind {
    kUnique,
    kAmbiguous,  // the clock showed it twice: `earlier` and `later`
    kSkipped     // the clock never showed it
  };
  struct Moments {
    Kind kind = Kind::kUnique;
    int64_t earlier = 0;  // microseconds since 1970, UTC
    int64_t later = 0;
  };
  // `local`: what the clock showed, as microseconds since 1970-01-01T00:00:00 on it.
  virtual Moments ToUtc(int64_t local) const = 0;
};

}  // namespace rhodes

#endif  // RHODES_SOURCE_TIME_ZONE_H_
