// How a view is to be made: part by part, slice by slice or whole, on how many threads, and why.
#ifndef RHODES_FUSE_VIEW_PLAN_H_
#define RHODES_FUSE_VIEW_PLAN_H_

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "fuse/fuse.h"
#include "fuse/source_scope.h"
#include "table/database.h"

namespace rhodes {

struct ViewPlan {
  enum class Way {
    kParts,   // each row comes from one record: made anew for the parts that are new
    kSlices,  // made anew for the stretches of time whose records changed
    kWhole,   // made anew when any record changed
  };
  Way way = Way::kWhole;
  std::string why;        // in plain words
  bool parallel = false;  // several threads give the same rows in the same order
  // Why its documents are made anew each time, even if no record changed; empty: they are not.
  std::string unstable;
  std::vector<std::string> sources;  // that it reads
  std::vector<std::string> earlier;  // views that it may read, by their names in its text
  uint64_t estimated_rows = 0;
};
const char* NameOf(ViewPlan::Way way);

// Plans the views of one run. Keeps a reference to both; not thread-safe.
class ViewPlanner {
 public:
  static absl::StatusOr<ViewPlanner> Create(Database& database, SourceScope& scope);

  // `sql` is what is to be run for `view`; `earlier` are the views before it that SQL can select from; with
  // `referenced` a later one selects from this one. Leaves the scope showing all. INVALID_ARGUMENT with DuckDB's
  // message.
  absl::StatusOr<ViewPlan> Plan(const FuseView& view, const std::string& sql, const std::vector<std::string>& earlier,
                                bool referenced);

 private:
  ViewPlanner(Database& database, SourceScope& scope) : database_(&database), scope_(&scope) {}
  std::string Changing(const std::string& sql) const;

  Database* database_;
  SourceScope* scope_;
  std::set<std::string> changing_;  // functions whose value may differ from run to run
};

// Whether `name` stands in the text of the SQL, in upper or lower case.
bool Mentions(const std::string& sql, const std::string& name);

}  // namespace rhodes

#endif  // RHODES_FUSE_VIEW_PLAN_H_
