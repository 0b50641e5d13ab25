#include "fuse/explain.h"

#include <fmt/format.h>

namespace rhodes {
namespace {

std::string Listed(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  return list.empty() ? "nothing" : list;
}

}  // namespace

std::string ToText(const ViewExplanation& explanation) {
  const ViewPlan& plan = explanation.plan;
  std::string text = fmt::format("view      {}{}\n", explanation.name,
                                 explanation.place.empty() ? "" : fmt::format(" ({})", explanation.place));
  text += fmt::format("columns   {}\n", Listed(explanation.columns));
  text += fmt::format("reads     {}{}\n", Listed(plan.sources),
                      plan.earlier.empty() ? "" : fmt::format("; the views {}", Listed(plan.earlier)));
  text += fmt::format("made      {}: {}\n", NameOf(plan.way), plan.why);
  if (plan.unstable.empty()) {
    text += fmt::format("changed   {} of {} {}\n", explanation.units - explanation.unchanged, explanation.units,
                        plan.way == ViewPlan::Way::kSlices  ? "slices"
                        : plan.way == ViewPlan::Way::kParts ? "parts"
                                                            : "views");
  } else {
    text += fmt::format("changed   always: {}\n", plan.unstable);
  }
  text += fmt::format("threads   {}\n", plan.parallel ? "all: its plan keeps the order of rows"
                                                      : "one: its rows come in an order that threads would change");
  text += fmt::format("rows      about {}\n\n{}", plan.estimated_rows, explanation.operators);
  if (!text.ends_with('\n')) text += '\n';
  return text;
}

Json ToJson(const ViewExplanation& explanation) {
  const ViewPlan& plan = explanation.plan;
  return {{"view", explanation.name},
          {"place", explanation.place},
          {"columns", explanation.columns},
          {"sources", plan.sources},
          {"earlier", plan.earlier},
          {"made", NameOf(plan.way)},
          {"why", plan.why},
          {"units", explanation.units},
          {"unchanged", explanation.unchanged},
          {"always_anew", plan.unstable},
          {"parallel", plan.parallel},
          {"estimated_rows", plan.estimated_rows},
          {"plan", explanation.operators}};
}

}  // namespace rhodes
