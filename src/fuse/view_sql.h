// The SQL around a view: from the columns that it selects to a document's.
#ifndef RHODES_FUSE_VIEW_SQL_H_
#define RHODES_FUSE_VIEW_SQL_H_

#include <string>
#include <vector>

#include "base/status.h"
#include "fuse/fuse.h"
#include "table/database.h"

namespace rhodes {

struct ViewColumns {
  bool text = false;
  bool parents = false;
  bool parent = false;
  bool time = false;
  bool language = false;
  bool title = false;
  std::string spans;  // its type; empty: none
  std::string meta;   // its type; empty: none
  std::vector<std::string> all;
};
// INVALID_ARGUMENT when what the statement selects cannot become documents.
absl::StatusOr<ViewColumns> DescribeView(Database& database, const FuseView& view, const std::string& sql);

// "id, text, parents, time, language, meta, spans" of the rows of `from`; id is NULL where there is no text.
std::string DocumentsSql(const FuseView& view, const ViewColumns& columns, const std::string& from);

// The statement to be run for `view`. `sources` are those that there are. INVALID_ARGUMENT.
absl::StatusOr<std::string> SqlOf(Database& database, const FuseView& view, const std::vector<std::string>& sources);

// `status` as it is told to people: with the view, its file and the line.
absl::Status ViewError(const FuseView& view, const absl::Status& status);

}  // namespace rhodes

#endif  // RHODES_FUSE_VIEW_SQL_H_
