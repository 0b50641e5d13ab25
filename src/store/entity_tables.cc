#include "store/entity_tables.h"

#include <vector>

#include "base/file.h"

namespace rhodes {

const EntityTable kEntities = {"entities", "entities",
                               "id VARCHAR, kind VARCHAR, name VARCHAR, attributes MAP(VARCHAR, VARCHAR), keys "
                               "MAP(VARCHAR, VARCHAR), sources VARCHAR[], mentions UBIGINT, records UBIGINT"};
const EntityTable kEntityMentions = {"mentions", "entity_mentions",
                                     "id VARCHAR, entity VARCHAR, kind VARCHAR, source VARCHAR, attributes "
                                     "MAP(VARCHAR, VARCHAR), keys MAP(VARCHAR, VARCHAR), records UBIGINT"};
const EntityTable kEntityLinks = {"links", "entity_links",
                                  "id VARCHAR, kind VARCHAR, a VARCHAR, b VARCHAR, entity VARCHAR, reason VARCHAR, "
                                  "state VARCHAR, score DOUBLE, evidence VARCHAR"};
const EntityTable kRecordEntities = {"records", "record_entities",
                                     "record VARCHAR, kind VARCHAR, entity VARCHAR, mention VARCHAR"};

absl::Status CreateEntityViews(Database& database, const std::string& out) {
  if (!PathExists(out + "/entities/manifest.json")) return absl::OkStatus();
  for (const EntityTable* table : {&kEntities, &kEntityMentions, &kEntityLinks, &kRecordEntities}) {
    ASSIGN_OR_RETURN(const uint64_t taken,
                     database.QueryCount(fmt::format("SELECT count(*) FROM (SELECT view_name AS name FROM "
                                                     "duckdb_views() UNION ALL SELECT table_name FROM "
                                                     "duckdb_tables()) WHERE name = {}",
                                                     SqlLiteral(table->view))));
    if (taken > 0) continue;
    std::string list;
    const std::string directory = fmt::format("{}/entities/{}", out, table->folder);
    if (absl::StatusOr<std::vector<std::string>> files = ListFiles(directory); files.ok()) {
      for (const std::string& file : *files) {
        if (file.ends_with(".parquet")) list += (list.empty() ? "" : ", ") + SqlLiteral(file);
      }
    }
    RETURN_IF_ERROR(database.Execute(
        list.empty() ? fmt::format("CREATE TABLE {} ({})", table->view, table->columns)
                     : fmt::format("CREATE VIEW {} AS SELECT * FROM read_parquet([{}], hive_partitioning = false)",
                                   table->view, list)));
  }
  return absl::OkStatus();
}

}  // namespace rhodes
