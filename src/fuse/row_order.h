// Whether a query may run on several threads and still give the same rows in the same order.
#ifndef RHODES_FUSE_ROW_ORDER_H_
#define RHODES_FUSE_ROW_ORDER_H_

#include <string>

#include "base/status.h"
#include "table/database.h"

namespace rhodes {

// True when the plan of the SELECT `sql` has nothing but operators that keep rows in order (scans, projections,
// filters, unnest, union). An aggregate such as string_agg(), a join or a window sees its rows in the order in which
// threads deliver them, so its result could differ from run to run.
absl::StatusOr<bool> KeepsRowOrder(Database& database, const std::string& sql);

}  // namespace rhodes

#endif  // RHODES_FUSE_ROW_ORDER_H_
