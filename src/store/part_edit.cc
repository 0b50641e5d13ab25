#include "store/part_edit.h"

#include <algorithm>
#include <filesystem>
#include <optional>

#include "base/file.h"
#include "base/hash.h"
#include "base/parallel.h"
#include "store/membership.h"

namespace rhodes {
namespace {

constexpr uint64_t kLeastMemory = uint64_t{512} << 20;  // of a database that writes a part

absl::StatusOr<std::unique_ptr<Database>> OpenDatabase() {
  Database::Options options;
  options.memory_bytes = 4 * kLeastMemory;
  return Database::Open(options);
}

std::string Scan(const std::string& part) {
  return fmt::format("read_parquet({}, file_row_number = true, hive_partitioning = false)", SqlLiteral(part));
}

// TRUE or FALSE, never NULL.
std::string Certain(const std::string& predicate) {
  return predicate.empty() ? "false" : fmt::format("coalesce(({}), false)", predicate);
}

}  // namespace

absl::StatusOr<EditedRows> FindRows(Database& database, const std::string& part, const PartEdit& edit) {
  EditedRows found;
  ASSIGN_OR_RETURN(found.rows, database.QueryCount(fmt::format("SELECT sum(num_rows) FROM parquet_file_metadata({})",
                                                               SqlLiteral(part))));
  found.removed.resize(found.rows);
  found.masked.assign(edit.masks.size(), std::vector<bool>(found.rows));
  std::string columns = fmt::format("file_row_number AS row, id, {} AS remove", Certain(edit.remove));
  std::string any = "remove";
  for (size_t i = 0; i < edit.masks.size(); ++i) {
    columns += fmt::format(", {} AS mask_{}", Certain(edit.masks[i].where), i);
    any += fmt::format(" OR mask_{}", i);
  }
  absl::StatusOr<QueryResult> result =
      database.Query(fmt::format("SELECT * FROM (SELECT {} FROM {}) WHERE {} ORDER BY row", columns, Scan(part), any));
  if (!result.ok()) return Annotate(result.status(), part);
  while (true) {
    absl::StatusOr<bool> more = result->Next();
    if (!more.ok()) return Annotate(more.status(), part);
    if (!*more) return found;
    for (size_t i = 0; i < result->row_count(); ++i) {
      const auto row = static_cast<size_t>(result->Int64(0, i));
      const std::string id(result->String(1, i));
      if (result->Bool(2, i)) {
        found.removed[row] = true;
        found.removed_ids.push_back(id);
        continue;
      }
      for (size_t mask = 0; mask < edit.masks.size(); ++mask) found.masked[mask][row] = result->Bool(3 + mask, i);
      found.masked_ids.push_back(id);
    }
  }
}

absl::StatusOr<PartInfo> WriteEdited(const std::string& part, const std::string& target, const PartEdit& edit,
                                     const EditedRows& rows) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, OpenDatabase());
  if (edit.prepare) RETURN_IF_ERROR(edit.prepare(*database));
  // The rows are told by number: filters and projections alone, which keep the order of the rows whatever the
  // predicates were.
  RETURN_IF_ERROR(RegisterRowSet(*database, "rhodes_removed", &rows.removed));
  std::string from = Scan(part);
  for (size_t i = 0; i < edit.masks.size(); ++i) {
    RETURN_IF_ERROR(RegisterRowSet(*database, fmt::format("rhodes_masked_{}", i), &rows.masked[i]));
    std::string replaced;
    for (const auto& [column, expression] : edit.masks[i].set) {
      replaced +=
          fmt::format("{}CASE WHEN rhodes_masked_{}(file_row_number) THEN {} ELSE {} END AS {}",
                      replaced.empty() ? "" : ", ", i, expression, SqlIdentifier(column), SqlIdentifier(column));
    }
    from = fmt::format("(SELECT * REPLACE ({}) FROM {})", replaced, from);
  }
  const absl::Status written = database->Execute(
      fmt::format("COPY (SELECT * EXCLUDE (file_row_number) FROM {} WHERE NOT rhodes_removed(file_row_number)) TO {} "
                  "({})",
                  from, SqlLiteral(target), kParquetPartFormat));
  if (!written.ok()) return Annotate(written, part);
  PartInfo info;
  info.file = std::filesystem::path(target).filename().string();
  info.rows = rows.rows - rows.removed_ids.size();
  ASSIGN_OR_RETURN(info.bytes, FileSize(target));
  ASSIGN_OR_RETURN(info.sha256, Sha256OfFile(target));
  return info;
}

absl::StatusOr<std::vector<EditedRows>> FindRowsOfAll(const std::string& directory,
                                                      const std::vector<std::string>& parts, const PartEdit& edit,
                                                      const RunContext& context) {
  std::vector<EditedRows> found(parts.size());
  const absl::Status status = ParallelFor(context.Threads(), parts.size(), [&](size_t i) -> absl::Status {
    RETURN_IF_ERROR(context.CheckCancelled());
    ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, OpenDatabase());
    if (edit.prepare) RETURN_IF_ERROR(edit.prepare(*database));
    ASSIGN_OR_RETURN(found[i], FindRows(*database, directory + "/" + parts[i], edit));
    return absl::OkStatus();
  });
  RETURN_IF_ERROR(status);
  return found;
}

absl::StatusOr<std::vector<PartInfo>> WriteAllEdited(const std::string& from, const std::string& to,
                                                     const std::vector<std::string>& parts, const PartEdit& edit,
                                                     const std::vector<EditedRows>& rows, const RunContext& context) {
  std::vector<PartInfo> written(parts.size());
  const uint64_t affordable = std::max<uint64_t>(context.memory_bytes / kLeastMemory, 1);
  const int threads = static_cast<int>(std::min<uint64_t>(affordable, static_cast<uint64_t>(context.Threads())));
  const absl::Status status = ParallelFor(threads, parts.size(), [&](size_t i) -> absl::Status {
    RETURN_IF_ERROR(context.CheckCancelled());
    written[i].file = parts[i];
    written[i].rows = rows[i].rows;
    const std::string source = from + "/" + parts[i];
    const std::string target = to + "/" + parts[i];
    if (!rows[i].any()) return LinkOrCopy(source, target);
    ASSIGN_OR_RETURN(written[i], WriteEdited(source, target, edit, rows[i]));
    return absl::OkStatus();
  });
  RETURN_IF_ERROR(status);
  return written;
}

absl::Status LinkOrCopy(const std::string& from, const std::string& to) {
  std::error_code error;
  std::filesystem::create_hard_link(from, to, error);
  if (!error) return absl::OkStatus();
  std::filesystem::copy_file(from, to, error);
  return error ? ErrnoError(error.value(), "copy", from) : absl::OkStatus();
}

std::string FieldsWithout(const std::vector<std::string>& names, const std::string& what) {
  std::string list = "'masked'";
  for (const std::string& name : names) list += ", " + SqlLiteral(name);
  return fmt::format(
      "map_from_entries(list_sort(list_concat("
      "list_filter(coalesce(map_entries(fields), []), e -> e.key NOT IN ({})), "
      "[{{'key': 'masked', 'value': concat_ws(' ', fields['masked'], {})}}])))",
      list, SqlLiteral(what));
}

}  // namespace rhodes
