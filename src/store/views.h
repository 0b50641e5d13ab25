// The one database as SQL sees it: a view for all records, one per source, and the stages' tables.
#ifndef RHODES_STORE_VIEWS_H_
#define RHODES_STORE_VIEWS_H_

#include <string>

#include "base/status.h"
#include "table/database.h"

namespace rhodes {

// Creates the view `records` over all sources of `out`, a view per source under its name, and `documents`, `corpus`,
// `dropped` and the tables of store/entity_tables.h where the stages have made them. NOT_FOUND when `out` has no
// records.
absl::Status CreateViews(Database& database, const std::string& out);

}  // namespace rhodes

#endif  // RHODES_STORE_VIEWS_H_
