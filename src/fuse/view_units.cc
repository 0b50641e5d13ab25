#include "fuse/view_units.h"

#include <duckdb.h>

#include <algorithm>
#include <set>

#include "base/hash.h"

namespace rhodes {
namespace {

constexpr int kUnitVersion = 1;  // raised when the same view makes other documents of the same records
constexpr size_t kMostSlices = 1'000'000;

int64_t FloorDivide(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

// The width of the stretches by which changes are seen: finer than the slices, so that a change beyond the margin does
// not touch a slice.
int64_t StretchWidth(const FuseView::Slices& slices) {
  return slices.margin == 0 ? slices.every : std::max<int64_t>(1, slices.every / 64);
}

struct TimedPart {
  size_t source;
  std::string path;
  const PartTimes* times;
};

absl::StatusOr<std::vector<TimedPart>> TimesOf(Database& database, const SourceScope& scope, const ViewPlan& plan,
                                               int64_t width, const std::map<std::string, PartTimes>& known,
                                               std::map<std::string, PartTimes>& times) {
  std::vector<TimedPart> parts;
  for (size_t i = 0; i < scope.sources().size(); ++i) {
    const SourceScope::Source& source = scope.sources()[i];
    if (std::find(plan.sources.begin(), plan.sources.end(), source.name) == plan.sources.end()) continue;
    for (const SourceScope::Part& part : source.parts) {
      const std::string name = fmt::format("{}/{}", part.sha256, width);
      if (!times.contains(name)) {
        if (const auto old = known.find(name); old != known.end()) {
          times[name] = old->second;
        } else {
          ASSIGN_OR_RETURN(times[name], ReadPartTimes(database, part.path, width));
        }
      }
      parts.push_back({i, part.path, &times[name]});
    }
  }
  return parts;
}

// The numbers of the slices that a record of these parts can have a part in.
absl::StatusOr<std::set<int64_t>> Reached(const std::vector<TimedPart>& parts, const FuseView::Slices& slices,
                                          int64_t width) {
  std::set<int64_t> numbers;
  for (const TimedPart& part : parts) {
    for (const auto& [stretch, hash] : part.times->stretches) {
      const int64_t first = FloorDivide(stretch * width - slices.margin, slices.every);
      const int64_t last = FloorDivide((stretch + 1) * width - 1 + slices.margin, slices.every);
      for (int64_t number = first; number <= last; ++number) numbers.insert(number);
      if (numbers.size() > kMostSlices) {
        return absl::InvalidArgumentError(
            fmt::format("there are more than {} slices: say a longer slices.every", kMostSlices));
      }
    }
  }
  return numbers;
}

absl::StatusOr<std::vector<ViewUnit>> SlicesOf(Database& database, const SourceScope& scope, const FuseView& view,
                                               const ViewPlan& plan, const std::string& definition,
                                               const std::map<std::string, PartTimes>& known,
                                               std::map<std::string, PartTimes>& times) {
  const FuseView::Slices& slices = *view.slices;
  const int64_t width = StretchWidth(slices);
  ASSIGN_OR_RETURN(const std::vector<TimedPart> parts, TimesOf(database, scope, plan, width, known, times));
  ASSIGN_OR_RETURN(const std::set<int64_t> numbers, Reached(parts, slices, width));
  std::vector<ViewUnit> units;
  for (const int64_t number : numbers) {
    ViewUnit& unit = units.emplace_back();
    unit.begin = number * slices.every;
    unit.end = unit.begin + slices.every;
    unit.reach_begin = unit.begin - slices.margin;
    unit.reach_end = unit.end + slices.margin;
    const int64_t first = FloorDivide(unit.reach_begin, width);
    const int64_t last = FloorDivide(unit.reach_end - 1, width);
    std::string records;
    for (const TimedPart& part : parts) {
      const size_t before = records.size();
      const std::map<int64_t, std::string>& stretches = part.times->stretches;
      for (auto it = stretches.lower_bound(first); it != stretches.end() && it->first <= last; ++it) {
        records += fmt::format("{} {} {}\n", part.source, it->first, it->second);
      }
      if (!part.times->timeless.empty()) records += fmt::format("{} {}\n", part.source, part.times->timeless);
      if (records.size() > before) unit.parts.emplace_back(part.source, part.path);
    }
    unit.key = ContentId({definition, std::to_string(number), records});
  }
  return units;
}

}  // namespace

std::string DefinitionOf(const FuseView& view, const std::vector<TemplateSettings>& templates,
                         const std::vector<std::string>& earlier) {
  std::string text = fmt::format("{}\n{}\n", kUnitVersion, duckdb_library_version());
  const auto add = [&](std::string_view part) { text += fmt::format("{}:{}\n", part.size(), part); };
  for (const std::string_view part :
       {std::string_view(view.name), std::string_view(view.sql), std::string_view(view.source)}) {
    add(part);
  }
  text +=
      fmt::format("{} {} {}\n", view.rest, view.slices ? view.slices->every : 0, view.slices ? view.slices->margin : 0);
  for (const TemplateSettings& form : templates) {
    add(form.name);
    add(form.language);
    add(form.text);
    text += form.digits == DigitStyle::kArabicIndic ? "arabic-indic\n" : "western\n";
  }
  for (const std::string& one : earlier) add(one);
  return ContentId({text});
}

absl::StatusOr<std::vector<ViewUnit>> UnitsOf(Database& database, const SourceScope& scope, const FuseView& view,
                                              const ViewPlan& plan, const std::string& definition,
                                              const std::map<std::string, PartTimes>& known,
                                              std::map<std::string, PartTimes>& times) {
  std::vector<ViewUnit> units;
  if (plan.way == ViewPlan::Way::kSlices) {
    ASSIGN_OR_RETURN(units, SlicesOf(database, scope, view, plan, definition, known, times));
  } else if (plan.way == ViewPlan::Way::kParts) {
    for (const SourceScope::Source& source : scope.sources()) {
      if (std::find(plan.sources.begin(), plan.sources.end(), source.name) == plan.sources.end()) continue;
      for (const SourceScope::Part& part : source.parts) {
        ViewUnit& unit = units.emplace_back();
        unit.key = ContentId({definition, source.name, part.sha256});
        unit.source = source.name;
        unit.part = part;
      }
    }
  } else {
    std::string records;
    for (const SourceScope::Source& source : scope.sources()) {
      if (!view.rest && std::find(plan.sources.begin(), plan.sources.end(), source.name) == plan.sources.end())
        continue;
      for (const SourceScope::Part& part : source.parts) records += fmt::format("{} {}\n", source.name, part.sha256);
    }
    units.emplace_back().key = ContentId({definition, records});
  }
  if (!plan.unstable.empty()) {
    for (ViewUnit& unit : units) unit.key.clear();
  }
  return units;
}

}  // namespace rhodes
