#include "project/check_entities.h"

#include "base/file.h"
#include "base/manifest.h"
#include "entity/decisions.h"
#include "project/check_source.h"
#include "store/entity_tables.h"
#include "store/membership.h"
#include "table/part_list.h"

namespace rhodes {
namespace {

constexpr char kWhat[] = "entities";

class EntityChecker {
 public:
  EntityChecker(const std::string& out, const char* repair, CheckReport& report)
      : out_(out), repair_(repair), report_(report) {}

  absl::Status Run(const IdSet* records, uint64_t& bytes, const RunContext& context) {
    if (const absl::Status status = ReadDecisions(out_).status(); !status.ok()) {
      report_.problems.push_back({kWhat, "entity-decisions.jsonl", Message(status),
                                  "put it back from a copy, or take the line out: entities are not made until then"});
    }
    if (!PathExists(out_ + "/entities")) return absl::OkStatus();
    const absl::StatusOr<Manifest> manifest = ReadManifest(out_ + "/entities");
    if (!manifest.ok()) {
      Add("entities/manifest.json", Message(manifest.status()));
      return absl::OkStatus();
    }
    const Json list = manifest->extra.value("files", Json::array());
    const absl::StatusOr<std::vector<PartInfo>> parts = PartsFromJson(list, "entities/manifest.json");
    if (!parts.ok()) {
      Add("entities/manifest.json", Message(parts.status()));
      return absl::OkStatus();
    }
    const size_t before = report_.problems.size();
    RETURN_IF_ERROR(CheckParts(out_, kWhat, *parts, kWhat, repair_, report_, bytes, context));
    if (report_.problems.size() != before) return absl::OkStatus();
    const absl::Status tables = CheckTables(*manifest, records);
    if (!tables.ok()) Add("entities", "cannot be read: " + Message(tables));
    return absl::OkStatus();
  }

 private:
  void Add(std::string file, std::string problem) {
    report_.problems.push_back({kWhat, std::move(file), std::move(problem), repair_});
  }

  absl::Status CheckTables(const Manifest& manifest, const IdSet* records) {
    ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, Database::Open({}));
    if (records != nullptr) RETURN_IF_ERROR(RegisterIdSet(*database, "rhodes_known", records));
    RETURN_IF_ERROR(CreateEntityViews(*database, out_));
    for (const auto& [count, view] :
         {std::pair{"entities", kEntities.view}, std::pair{"mentions", kEntityMentions.view},
          std::pair{"links", kEntityLinks.view}}) {
      ASSIGN_OR_RETURN(const uint64_t rows, database->QueryCount(fmt::format("SELECT count(*) FROM {}", view)));
      if (manifest.counts.value(count, uint64_t{0}) == rows) continue;
      Add("entities/manifest.json", fmt::format("counts {} {}, and the table has {} rows",
                                                manifest.counts.value(count, uint64_t{0}), count, rows));
    }
    ASSIGN_OR_RETURN(const uint64_t homeless,
                     database->QueryCount("SELECT count(*) FROM entity_mentions m ANTI JOIN entities e ON m.entity = "
                                          "e.id"));
    if (homeless > 0) Add("entities/mentions", fmt::format("{} mentions are in no entity", homeless));
    ASSIGN_OR_RETURN(report_.checked["entities"], database->QueryCount("SELECT count(*) FROM entities"));
    if (records == nullptr) return absl::OkStatus();
    ASSIGN_OR_RETURN(const uint64_t unknown,
                     database->QueryCount("SELECT count(*) FROM record_entities WHERE NOT rhodes_known(record)"));
    if (unknown > 0) {
      Add("entities/records",
          fmt::format("{} records that mention an entity are no records of this folder: they went since", unknown));
    }
    return absl::OkStatus();
  }

  const std::string& out_;
  const char* const repair_;
  CheckReport& report_;
};

}  // namespace

absl::Status CheckEntities(const std::string& out, const IdSet* records, const char* repair, CheckReport& report,
                           uint64_t& bytes, const RunContext& context) {
  return EntityChecker(out, repair, report).Run(records, bytes, context);
}

}  // namespace rhodes
