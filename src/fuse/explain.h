// How a view would be made, in words.
#ifndef RHODES_FUSE_EXPLAIN_H_
#define RHODES_FUSE_EXPLAIN_H_

#include <string>
#include <vector>

#include "base/json.h"
#include "base/run_context.h"
#include "base/status.h"
#include "fuse/fuse.h"
#include "fuse/view_plan.h"

namespace rhodes {

struct ViewExplanation {
  std::string name;
  std::string place;                 // "rhodes.toml:12"
  std::vector<std::string> columns;  // "text VARCHAR"
  ViewPlan plan;
  uint64_t units = 0;      // parts or slices it is made in
  uint64_t unchanged = 0;  // of these, since the last run
  std::string operators;   // DuckDB's plan
};

// Plans the view `name` of `options` without making a document. NOT_FOUND naming the nearest one; UsageError as Fuse()
// for one that cannot be made.
absl::StatusOr<ViewExplanation> ExplainView(const FuseOptions& options, const std::string& name, RunContext& context);
std::string ToText(const ViewExplanation& explanation);
Json ToJson(const ViewExplanation& explanation);

}  // namespace rhodes

#endif  // RHODES_FUSE_EXPLAIN_H_
