#include "source/time_zone.h"

#include <unicode/basictz.h>
#include <unicode/strenum.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "base/text.h"

namespace rhodes {
namespace {

constexpr int64_t kMillisecond = 1000;  // microseconds

class IcuZone final : public TimeZone {
 public:
  explicit IcuZone(std::unique_ptr<icu::BasicTimeZone> zone) : zone_(std::move(zone)) {}

  Instants LocalToUtc(int64_t local) const override {
    const int64_t former = local - LocalOffset(local, UCAL_TZ_LOCAL_FORMER);
    const int64_t latter = local - LocalOffset(local, UCAL_TZ_LOCAL_LATTER);
    if (former == latter) return {kUnique, former, former};
    // By the offset before the change an ambiguous time is the earlier instant, a skipped one the later.
    return {former < latter ? kAmbiguous : kSkipped, former, latter};
  }

  int64_t OffsetAt(int64_t utc) const override {
    int32_t raw = 0;
    int32_t saving = 0;
    UErrorCode error = U_ZERO_ERROR;
    zone_->getOffset(Milliseconds(utc), 0, raw, saving, error);
    return U_FAILURE(error) != 0 ? 0 : (int64_t{raw} + saving) * kMillisecond;
  }

 private:
  static UDate Milliseconds(int64_t microseconds) {
    return std::floor(static_cast<double>(microseconds) / static_cast<double>(kMillisecond));
  }

  int64_t LocalOffset(int64_t local, UTimeZoneLocalOption option) const {
    int32_t raw = 0;
    int32_t saving = 0;
    UErrorCode error = U_ZERO_ERROR;
    zone_->getOffsetFromLocal(Milliseconds(local), option, option, raw, saving, error);
    return U_FAILURE(error) != 0 ? 0 : (int64_t{raw} + saving) * kMillisecond;
  }

  const std::unique_ptr<icu::BasicTimeZone> zone_;
};

icu::UnicodeString Unicode(std::string_view text) {
  return icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int32_t>(text.size())));
}

// ICU knows "CST", "IST", "PST" and the like from Java, as one of the zones that people mean by them.
bool IsAbbreviation(std::string_view name) {
  static constexpr std::array<std::string_view, 13> kOfIana = {"CET", "EET", "EST", "GMT", "HST", "MET", "MST",
                                                               "PRC", "ROC", "ROK", "UCT", "UTC", "WET"};
  return name.size() == 3 && std::find(kOfIana.begin(), kOfIana.end(), name) == kOfIana.end();
}

std::vector<std::string> KnownNames() {
  std::vector<std::string> names;
  UErrorCode error = U_ZERO_ERROR;
  const std::unique_ptr<icu::StringEnumeration> all(
      icu::TimeZone::createTimeZoneIDEnumeration(UCAL_ZONE_TYPE_ANY, nullptr, nullptr, error));
  if (U_FAILURE(error) != 0 || all == nullptr) return names;
  while (const icu::UnicodeString* name = all->snext(error)) {
    if (U_FAILURE(error) != 0) break;
    name->toUTF8String(names.emplace_back());
    if (IsAbbreviation(names.back())) names.pop_back();
  }
  return names;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const TimeZone>> TimeZone::Find(std::string_view name) {
  const auto unknown = [&] {
    const std::string nearest = Nearest(name, KnownNames());
    return UsageError(fmt::format(
        "unknown time zone \"{}\"; {}", name,
        nearest.empty() ? "names are those of IANA, such as Europe/Berlin" : fmt::format("did you mean {}?", nearest)));
  };
  if (name.size() > 64 || IsAbbreviation(name) || name == "Etc/Unknown") return unknown();
  // Only what is in the database: ICU also makes zones of its own out of "GMT+3".
  const icu::UnicodeString id = Unicode(name);
  icu::UnicodeString canonical;
  UBool is_system = 0;
  UErrorCode error = U_ZERO_ERROR;
  icu::TimeZone::getCanonicalID(id, canonical, is_system, error);
  if (U_FAILURE(error) != 0 || is_system == 0) return unknown();
  std::unique_ptr<icu::TimeZone> zone(icu::TimeZone::createTimeZone(id));
  auto* basic = dynamic_cast<icu::BasicTimeZone*>(zone.get());
  if (basic == nullptr) return unknown();
  zone.release();
  return std::make_shared<const IcuZone>(std::unique_ptr<icu::BasicTimeZone>(basic));
}

std::shared_ptr<const TimeZone> ZoneOrUtc(const std::string& name) {
  if (name.empty()) return nullptr;
  absl::StatusOr<std::shared_ptr<const TimeZone>> zone = TimeZone::Find(name);
  return zone.ok() ? *std::move(zone) : nullptr;
}

std::optional<Instant> ParseInstantIn(std::string_view text, const TimeZone* zone) {
  std::optional<Instant> instant = ParseInstant(text);
  if (!instant || zone == nullptr || instant->has_zone || instant->precision < TimePrecision::kHour) return instant;
  const TimeZone::Instants utc = zone->LocalToUtc(instant->time);
  if (utc.kind != TimeZone::kUnique) return std::nullopt;
  instant->time = utc.first;
  return instant;
}

}  // namespace rhodes
