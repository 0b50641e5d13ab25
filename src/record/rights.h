// What may be done with a source's records. Rights are data: they go with the records into every manifest.
#ifndef RHODES_RECORD_RIGHTS_H_
#define RHODES_RECORD_RIGHTS_H_

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/status.h"

namespace rhodes {

struct Rights {
  enum class Training { kAllowed, kNotAllowed, kUnknown };
  std::string licence;  // "CC-BY-4.0"; or
  std::string owner;    // whose it is
  Training training = Training::kUnknown;
  std::string reason;     // why, where it is not the owner who said so
  std::string retention;  // how long it may be kept: "90 days", "2 years", "until 2027-12-31"; empty: not stated
};

std::string_view NameOf(Rights::Training training);  // "allowed", "not-allowed", "unknown"
// INVALID_ARGUMENT (usage) naming what is allowed.
absl::StatusOr<Rights::Training> ParseTraining(std::string_view text);

// The moment (microseconds since 1970) up to which something stored at `stored` may be kept; the largest number when
// nothing limits it. INVALID_ARGUMENT (usage) for what is neither a number of days, weeks, months or years, nor
// "until DATE", "unlimited" or empty. A month is 30 days and a year 365 here: the shorter reading.
absl::StatusOr<int64_t> RetentionEnd(std::string_view retention, int64_t stored);

Json ToJson(const Rights& rights);
Rights RightsFromJson(const Json& json);  // of ToJson(); what is missing stays as it is by default

}  // namespace rhodes

#endif  // RHODES_RECORD_RIGHTS_H_
