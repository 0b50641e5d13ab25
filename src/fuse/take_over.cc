#include "fuse/take_over.h"

#include <fmt/format.h>

#include <map>

#include "table/part_list.h"

namespace rhodes {

absl::Status OpenOldDocuments(Database& database, const std::string& out, FuseState& last) {
  if (last.views.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::vector<PartInfo> parts, PartsFromJson(last.files, out + "/documents"));
  std::string sql;
  uint64_t first = 0;
  for (const PartInfo& part : parts) {
    sql += fmt::format(
        "{}SELECT file_row_number + {} AS place, id, text, parents, time, language, meta, spans FROM "
        "read_parquet({}, file_row_number = true, hive_partitioning = false)",
        sql.empty() ? "" : " UNION ALL ", first, SqlLiteral(fmt::format("{}/documents/{}", out, part.file)));
    first += part.rows;
  }
  if (parts.empty()) {
    last = {};
    return absl::OkStatus();
  }
  const absl::Status opened = database.Execute("CREATE TEMP VIEW rhodes_old AS " + sql);
  if (absl::IsInvalidArgument(opened)) last = {};  // a part is gone or damaged: made anew
  return absl::IsInvalidArgument(opened) ? absl::OkStatus() : opened;
}

absl::StatusOr<std::vector<bool>> TakeOver(Database& database, const std::string& out, const FuseState& last,
                                           const std::vector<ViewUnit>& units, FuseViewState& state) {
  std::vector<bool> clean(units.size(), false);
  const FuseViewState* const old = last.Find(state.name);
  if (old == nullptr) return clean;
  std::map<std::string, size_t> by_key;
  for (size_t i = 0; i < units.size(); ++i) {
    if (!units[i].key.empty()) by_key[units[i].key] = i;
  }
  std::vector<bool> stays(old->units.size());
  for (size_t i = 0; i < old->units.size(); ++i) {
    // Documents that an earlier view made are not among this one's: whether they are now is to be seen anew.
    stays[i] = by_key.contains(old->units[i].key) && old->units[i].suppressed == 0;
  }
  RETURN_IF_ERROR(SpreadChange(database, out, *old, stays));
  RETURN_IF_ERROR(database.Execute("CREATE OR REPLACE TEMP TABLE rhodes_stays (old UBIGINT, unit UBIGINT)"));
  std::string pairs;
  for (size_t i = 0; i < stays.size(); ++i) {
    if (!stays[i]) continue;
    const size_t unit = by_key[old->units[i].key];
    clean[unit] = true;
    state.units[unit] = old->units[i];
    pairs += fmt::format("{}({}, {})", pairs.empty() ? "" : ", ", i, unit);
  }
  if (pairs.empty() || old->documents == 0) return clean;
  RETURN_IF_ERROR(database.Execute("INSERT INTO rhodes_stays VALUES " + pairs));
  RETURN_IF_ERROR(database.Execute(fmt::format(
      "INSERT INTO rhodes_fused SELECT s.unit, d.id, d.text, d.parents, d.time, d.language, d.meta, d.spans FROM "
      "rhodes_old d JOIN (FROM read_parquet({0}) WHERE \"row\" >= {1} AND \"row\" < {2}) u ON u.\"row\" = d.place "
      "JOIN rhodes_stays s ON s.old = u.unit WHERE d.place >= {1} AND d.place < {2}",
      SqlLiteral(FuseStateDirectory(out) + "/part-*.parquet"), old->first_row, old->first_row + old->documents)));
  return clean;
}

}  // namespace rhodes
