// The units that a view is made in, and what each depends on.
#ifndef RHODES_FUSE_VIEW_UNITS_H_
#define RHODES_FUSE_VIEW_UNITS_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "fuse/fuse.h"
#include "fuse/fuse_state.h"
#include "fuse/source_scope.h"
#include "fuse/view_plan.h"

namespace rhodes {

// One piece of work: which records it sees.
struct ViewUnit {
  std::string key;  // as FuseUnit::key
  // ViewPlan::Way::kParts
  std::string source;
  SourceScope::Part part;
  // ViewPlan::Way::kSlices; microseconds, half open
  int64_t begin = 0;  // of the slice
  int64_t end = 0;
  int64_t reach_begin = 0;  // of the records
  int64_t reach_end = 0;
  std::vector<std::pair<size_t, std::string>> parts;
};

// A hash of all that `view` is made by besides records: its text, the templates, the program's and DuckDB's versions,
// and `earlier`, the hashes of what the views before it that it reads are made from.
std::string DefinitionOf(const FuseView& view, const std::vector<TemplateSettings>& templates,
                         const std::vector<std::string>& earlier);

// The units of a view, in the order in which they are to be made. For slices the parts' times are taken from `known`
// where they are there, and all that are needed go into `times`. INVALID_ARGUMENT when there are more than a million
// slices.
absl::StatusOr<std::vector<ViewUnit>> UnitsOf(Database& database, const SourceScope& scope, const FuseView& view,
                                              const ViewPlan& plan, const std::string& definition,
                                              const std::map<std::string, PartTimes>& known,
                                              std::map<std::string, PartTimes>& times);

}  // namespace rhodes

#endif  // RHODES_FUSE_VIEW_UNITS_H_
