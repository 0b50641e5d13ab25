// What a run of fuse takes over from the last one: the documents of units that would be made of the same records again.
#ifndef RHODES_FUSE_TAKE_OVER_H_
#define RHODES_FUSE_TAKE_OVER_H_

#include <string>
#include <vector>

#include "base/status.h"
#include "fuse/fuse_state.h"
#include "fuse/view_units.h"
#include "table/database.h"

namespace rhodes {

// Makes the temporary view rhodes_old: the documents of the last run, which lie below `out` (an absolute path),
// numbered by `place` as `last` numbers them. Empties `last` when there are none or a part of them is gone or damaged:
// then all is made anew.
absl::Status OpenOldDocuments(Database& database, const std::string& out, FuseState& last);

// Which of `units`, those of the view `state.name`, the last run made of the same records. Their documents are put into
// the table rhodes_fused, their counts into `state`, which has a unit for each of `units`. Needs rhodes_old when `last`
// knows the view.
absl::StatusOr<std::vector<bool>> TakeOver(Database& database, const std::string& out, const FuseState& last,
                                           const std::vector<ViewUnit>& units, FuseViewState& state);

}  // namespace rhodes

#endif  // RHODES_FUSE_TAKE_OVER_H_
