// Rows out of Parquet parts, or values out of rows: a part is read once to find the rows, and written again without
// them where there are any.
#ifndef RHODES_STORE_PART_EDIT_H_
#define RHODES_STORE_PART_EDIT_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/run_context.h"
#include "table/database.h"
#include "table/parquet_parts.h"

namespace rhodes {

// What is to go. Predicates and expressions are SQL over the columns of the part; NULL is false.
struct PartEdit {
  // Called once for every database that the predicates run in: temporary tables, functions. May be empty.
  std::function<absl::Status(Database&)> prepare;
  std::string remove;  // the rows that go; empty: none
  // Rows that stay with other values: column = expression. Each mask sees the rows as the one before it left them.
  struct Mask {
    std::string where;
    std::vector<std::pair<std::string, std::string>> set;
  };
  std::vector<Mask> masks;
};

// The rows of one part that an edit is about, numbered from 0.
struct EditedRows {
  uint64_t rows = 0;  // of the part
  std::vector<bool> removed;
  std::vector<std::vector<bool>> masked;  // for each mask; rows that are removed are in none
  std::vector<std::string> removed_ids;   // the column id, in the order of the rows
  std::vector<std::string> masked_ids;
  bool any() const { return !removed_ids.empty() || !masked_ids.empty(); }
};
// Reads the columns that the predicates name. `part` must have a column id.
absl::StatusOr<EditedRows> FindRows(Database& database, const std::string& part, const PartEdit& edit);
// Writes what stays of `part` to `target`, rows in their order, as every part is written (one thread, the same bytes
// each time). A part of which nothing stays is written with no rows.
absl::StatusOr<PartInfo> WriteEdited(const std::string& part, const std::string& target, const PartEdit& edit,
                                     const EditedRows& rows);

// Both for all `parts` (file names), on several threads. Those that change are written into `to` under their names; the
// others become hard links there, and come back as a PartInfo without size and hash.
absl::StatusOr<std::vector<EditedRows>> FindRowsOfAll(const std::string& directory,
                                                      const std::vector<std::string>& parts, const PartEdit& edit,
                                                      const RunContext& context);
absl::StatusOr<std::vector<PartInfo>> WriteAllEdited(const std::string& from, const std::string& to,
                                                     const std::vector<std::string>& parts, const PartEdit& edit,
                                                     const std::vector<EditedRows>& rows, const RunContext& context);

// `to` as a second name of the file `from`, or a copy.
absl::Status LinkOrCopy(const std::string& from, const std::string& to);

// The column fields without `names`, and with "masked" saying `what` is missing (in addition to what it says).
std::string FieldsWithout(const std::vector<std::string>& names, const std::string& what);

}  // namespace rhodes

#endif  // RHODES_STORE_PART_EDIT_H_
