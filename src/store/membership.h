// Sets of Rhodes' own as SQL predicates: what a join would do, without disturbing the order of rows or copying the set.
#ifndef RHODES_STORE_MEMBERSHIP_H_
#define RHODES_STORE_MEMBERSHIP_H_

#include <string>
#include <vector>

#include "store/id_set.h"
#include "table/database.h"

namespace rhodes {

// `name`(id VARCHAR) and `name`(ids VARCHAR[]): whether the id, or one of the ids, is in `ids`. NULL: false. The set
// must outlive `database` and not change while a query runs.
absl::Status RegisterIdSet(Database& database, const std::string& name, const IdSet* ids);

// `name`(row BIGINT): whether `rows` has true there. Rows beyond its end: false. Lifetime as above.
absl::Status RegisterRowSet(Database& database, const std::string& name, const std::vector<bool>* rows);

}  // namespace rhodes

#endif  // RHODES_STORE_MEMBERSHIP_H_
