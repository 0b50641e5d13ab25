#include "record/rights.h"

#include <charconv>
#include <chrono>
#include <cstdio>
#include <limits>

#include "base/text.h"

namespace rhodes {

std::string_view NameOf(Rights::Training training) {
  switch (training) {
    case Rights::Training::kAllowed:
      return "allowed";
    case Rights::Training::kNotAllowed:
      return "not-allowed";
    case Rights::Training::kUnknown:
      return "unknown";
  }
  return "unknown";
}

absl::StatusOr<Rights::Training> ParseTraining(std::string_view text) {
  for (const Rights::Training training :
       {Rights::Training::kAllowed, Rights::Training::kNotAllowed, Rights::Training::kUnknown}) {
    if (text == NameOf(training)) return training;
  }
  return UsageError(fmt::format("training = \"{}\": it is \"allowed\", \"not-allowed\" or \"unknown\"", text));
}

absl::StatusOr<int64_t> RetentionEnd(std::string_view retention, int64_t stored) {
  constexpr int64_t kDay = int64_t{86400} * 1'000'000;
  const std::string text = LowerAscii(Trim(retention));
  if (text.empty() || text == "unlimited") return std::numeric_limits<int64_t>::max();
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  int used = 0;
  if (std::sscanf(text.c_str(), "until %4d-%2u-%2u%n", &year, &month, &day, &used) == 3 &&
      static_cast<size_t>(used) == text.size()) {
    const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)};
    if (date.ok()) return (std::chrono::sys_days(date).time_since_epoch().count() + 1) * kDay;
  }
  int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit = Trim(std::string_view(text).substr(static_cast<size_t>(end - text.data())));
  if (error == std::errc() && count > 0 && count < 100'000) {
    if (unit == "day" || unit == "days" || unit == "d") return stored + count * kDay;
    if (unit == "week" || unit == "weeks") return stored + count * 7 * kDay;
    if (unit == "month" || unit == "months") return stored + count * 30 * kDay;
    if (unit == "year" || unit == "years") return stored + count * 365 * kDay;
  }
  return UsageError(fmt::format(
      "retention = \"{}\": write a number of days, weeks, months or years, \"until 2027-12-31\", or \"unlimited\"",
      retention));
}

Json ToJson(const Rights& rights) {
  return {{"licence", rights.licence},
          {"owner", rights.owner},
          {"training", NameOf(rights.training)},
          {"reason", rights.reason},
          {"retention", rights.retention}};
}

Rights RightsFromJson(const Json& json) {
  Rights rights;
  if (!json.is_object()) return rights;
  rights.licence = json.value("licence", "");
  rights.owner = json.value("owner", "");
  rights.training = ParseTraining(json.value("training", "unknown")).value_or(Rights::Training::kUnknown);
  rights.reason = json.value("reason", "");
  rights.retention = json.value("retention", "");
  return rights;
}

}  // namespace rhodes
