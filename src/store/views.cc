#include "store/views.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "base/file.h"
#include "record/record_table.h"
#include "store/entity_tables.h"
#include "store/record_store.h"

namespace rhodes {
namespace {

absl::Status CreateView(Database& database, const std::string& name, const std::vector<std::string>& parts) {
  std::string list;
  for (const std::string& part : parts) list += (list.empty() ? "" : ", ") + SqlLiteral(part);
  // A directory above that is called a=b would otherwise become a column.
  return database.Execute(fmt::format("CREATE VIEW {} AS SELECT * FROM read_parquet([{}], hive_partitioning = false)",
                                      SqlIdentifier(name), list));
}

}  // namespace

absl::Status CreateViews(Database& database, const std::string& out) {
  ASSIGN_OR_RETURN(const std::vector<std::string> sources, ListSources(out));
  if (sources.empty()) {
    return absl::NotFoundError(
        fmt::format("{} holds no records: fill it with `rhodes ingest PATH --name NAME --out {}`", out, out));
  }
  std::vector<std::string> all;
  for (const std::string& source : sources) {
    ASSIGN_OR_RETURN(const std::vector<std::string> parts, ListParts(out, source));
    all.insert(all.end(), parts.begin(), parts.end());
  }
  RETURN_IF_ERROR(all.empty() ? database.Execute(fmt::format("CREATE TABLE records ({})", kRecordColumns))
                              : CreateView(database, "records", all));
  for (const std::string& source : sources) {
    ASSIGN_OR_RETURN(const std::vector<std::string> parts, ListParts(out, source));
    RETURN_IF_ERROR(parts.empty() ? database.Execute(fmt::format("CREATE VIEW {} AS SELECT * FROM records WHERE false",
                                                                 SqlIdentifier(source)))
                                  : CreateView(database, source, parts));
  }
  std::error_code error;
  const std::string absolute = std::filesystem::absolute(out, error).lexically_normal().string();
  if (error) return ErrnoError(error.value(), "resolve", out);
  for (const char* table : {"documents", "corpus", "dropped"}) {
    std::vector<std::string> parts;
    if (absl::StatusOr<std::vector<std::string>> files = ListFiles(fmt::format("{}/{}", absolute, table)); files.ok()) {
      std::copy_if(files->begin(), files->end(), std::back_inserter(parts),
                   [](const std::string& file) { return file.ends_with(".parquet"); });
    }
    if (!parts.empty()) RETURN_IF_ERROR(CreateView(database, table, parts));
  }
  return CreateEntityViews(database, absolute);
}

}  // namespace rhodes
