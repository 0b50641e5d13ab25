// What is wrong with a view, said before it runs.
#ifndef RHODES_FUSE_VIEW_CHECK_H_
#define RHODES_FUSE_VIEW_CHECK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "table/database.h"

namespace rhodes {

struct ViewCheckOptions {
  std::vector<std::string> known;       // names that it may select from, for "did you mean"
  bool allow_cross_product = false;     // `allow_cross_product = true` of the project file
  bool allow_nondeterministic = false;  // `allow_nondeterministic = true`
  // Rows that a cross product may give, and pairs that a join may look at one by one: comparing is cheaper than giving.
  uint64_t most_rows = 10'000'000;
  uint64_t most_pairs = 1'000'000'000;
};

// Plans the SELECT `sql` and does not run it. INVALID_ARGUMENT, with "LINE n:" counted within `sql` where a line is to
// blame, when it
//   - selects from what is not there (names the nearest of `known`), or is otherwise wrong (DuckDB's message);
//   - compares every row of one side with every row of another (a cross product, or a join whose condition is no
//     equality and no order), and their estimated numbers multiply above `most_rows` or `most_pairs`;
//   - calls a function whose value differs from run to run, such as now(). random() and uuid() are allowed: the fuse
//     stage gives them the same seed in each view.
// Earlier views that `sql` selects from must be there, as tables or views. Not thread-safe, like the database.
absl::Status CheckView(Database& database, const std::string& sql, const ViewCheckOptions& options);

// `status` of preparing `sql`; where it says that a table is not there, in the words of CheckView() with the nearest of
// `known`.
absl::Status NamingTheNearest(const absl::Status& status, const std::string& sql,
                              const std::vector<std::string>& known);

}  // namespace rhodes

#endif  // RHODES_FUSE_VIEW_CHECK_H_
