#include "source/time_zone.h"

#include <unicode/basictz.h>
#include <unicode/timezone.h>

#include <algorithm>
#include <map>
#include <mutex>

namespace rhodes {
namespace {

class IcuTimeZone final : public TimeZone {
 public:
  explicit IcuTimeZone(std::unique_ptr<icu::BasicTimeZone> zone) : zone_(std::move(zone)) {}

  Moments ToUtc(int64_t local) const override {
    const int64_t former = local - OffsetAt(local, UCAL_TZ_LOCAL_FORMER);
    const int64_t latter = local - OffsetAt(local, UCAL_TZ_LOCAL_LATTER);
    if (former == latter) return {Kind::kUnique, former, former};
    // A time that was shown comes back when its own offset is added again.
    const bool shown = former + OffsetOfUtc(former) == local;
    return {shown ? Kind::kAmbiguous : Kind::kSkipped, std::min(former, latter), std::max(former, latter)};
  }

 private:
  // Microseconds east of UTC.
  int64_t OffsetAt(int64_t local, UTimeZoneLocalOption option) const {
    int32_t raw = 0;
    int32_t saving = 0;
    UErrorCode status = U_ZERO_ERROR;
    zone_->getOffsetFromLocal(static_cast<double>(local) / 1000, option, option, raw, saving, status);
    return (int64_t{raw} + saving) * 1000;
  }
  int64_t OffsetOfUtc(int64_t utc) const {
    int32_t raw = 0;
    int32_t saving = 0;
    UErrorCode status = U_ZERO_ERROR;
    zone_->getOffset(static_cast<double>(utc) / 1000, false, raw, saving, status);
    return (int64_t{raw} + saving) * 1000;
  }

  const std::unique_ptr<icu::BasicTimeZone> zone_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<const TimeZone>> TimeZone::Find(const std::string& name) {
  static std::mutex mutex;
  static auto& known = *new std::map<std::string, std::shared_ptr<const TimeZone>>;
  const std::lock_guard lock(mutex);
  if (const auto it = known.find(name); it != known.end()) return it->second;
  std::unique_ptr<icu::TimeZone> zone(icu::TimeZone::createTimeZone(icu::UnicodeString::fromUTF8(name)));
  auto* basic = dynamic_cast<icu::BasicTimeZone*>(zone.get());
  if (basic == nullptr || *zone == icu::TimeZone::getUnknown()) {
    return UsageError(fmt::format("time zone \"{}\" is not known; write its IANA name, such as Europe/Oslo", name));
  }
  zone.release();
  std::shared_ptr<const TimeZone> made = std::make_shared<IcuTimeZone>(std::unique_ptr<icu::BasicTimeZone>(basic));
  known[name] = made;
  return made;
}

}  // namespace rhodes
