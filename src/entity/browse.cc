#include "entity/browse.h"

#include <algorithm>
#include <ctime>
#include <filesystem>

#include "base/file.h"
#include "base/manifest.h"
#include "entity/decisions.h"
#include "entity/resolve.h"
#include "store/entity_tables.h"
#include "table/database.h"

namespace rhodes {
namespace {

constexpr size_t kShortestId = 6;

std::string Now() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

absl::StatusOr<std::unique_ptr<Database>> OpenEntities(const std::string& out) {
  if (!PathExists(out + "/entities/manifest.json")) {
    return absl::NotFoundError(fmt::format(
        "entities: {} has none: declare them in the project file as [[entity]], then `rhodes run --until entities`",
        out));
  }
  ASSIGN_OR_RETURN(std::unique_ptr<Database> database, Database::Open({}));
  std::error_code error;
  const std::string absolute = std::filesystem::absolute(out, error).lexically_normal().string();
  if (error) return ErrnoError(error.value(), "resolve", out);
  RETURN_IF_ERROR(CreateEntityViews(*database, absolute));
  return database;
}

// The rows of a query of one JSON column.
absl::StatusOr<Json> Rows(Database& database, const std::string& sql, const std::vector<std::string>& parameters) {
  ASSIGN_OR_RETURN(QueryResult result, database.Query(sql, parameters));
  Json rows = Json::array();
  while (true) {
    ASSIGN_OR_RETURN(const bool more, result.Next());
    if (!more) return rows;
    for (size_t row = 0; row < result.row_count(); ++row) {
      ASSIGN_OR_RETURN(Json json, ParseJson(result.String(0, row), "a row"));
      rows.push_back(std::move(json));
    }
  }
}

// The one row whose id begins so.
absl::StatusOr<Json> RowOf(Database& database, const std::string& what, const std::string& sql, const std::string& id) {
  if (id.size() < kShortestId || id.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return UsageError(
        fmt::format("entities: \"{}\" is no id of {}: hexadecimal digits, {} at least", id, what, kShortestId));
  }
  ASSIGN_OR_RETURN(const Json rows, Rows(database, sql, {id + "%"}));
  if (rows.empty()) return absl::NotFoundError(fmt::format("entities: there is no {} {}", what, id));
  if (rows.size() > 1) {
    return UsageError(fmt::format("entities: {} ids of {} begin with {}: give more of it", rows.size(), what, id));
  }
  return rows[0];
}

constexpr char kEntityRow[] =
    "SELECT CAST(json_object('id', id, 'kind', kind, 'name', name, 'attributes', to_json(attributes), 'keys', "
    "to_json(keys), 'sources', sources, 'mentions', mentions, 'records', records) AS VARCHAR) FROM entities ";
constexpr char kMentionRow[] =
    "SELECT CAST(json_object('id', id, 'entity', entity, 'kind', kind, 'source', source, 'attributes', "
    "to_json(attributes), 'keys', to_json(keys), 'records', records) AS VARCHAR) FROM entity_mentions ";
constexpr char kLinkRow[] =
    "SELECT CAST(json_object('id', id, 'kind', kind, 'a', a, 'b', b, 'reason', reason, 'state', state, 'score', score, "
    "'evidence', CAST(evidence AS JSON)) AS VARCHAR) FROM entity_links ";

absl::StatusOr<Json> MentionOf(Database& database, const std::string& id) {
  absl::StatusOr<Json> mention =
      RowOf(database, "mention", fmt::format("{} WHERE id LIKE ? ORDER BY id LIMIT 10", kMentionRow), id);
  if (!absl::IsNotFound(mention.status())) return mention;
  absl::StatusOr<Json> entity =
      RowOf(database, "entity", fmt::format("{} WHERE id LIKE ? ORDER BY id LIMIT 10", kEntityRow), id);
  if (absl::IsNotFound(entity.status())) {
    return UsageError(fmt::format("entities: {} is the id of no mention and of no entity", id));
  }
  RETURN_IF_ERROR(entity.status());
  ASSIGN_OR_RETURN(const Json rows, Rows(database, fmt::format("{} WHERE entity = ? ORDER BY id LIMIT 1", kMentionRow),
                                         {(*entity)["id"].get<std::string>()}));
  return rows.at(0);
}

absl::StatusOr<Json> Decide(const std::string& out, EntityDecision decision, RunContext& context) {
  decision.time = Now();
  RETURN_IF_ERROR(AppendDecision(out, decision));
  ASSIGN_OR_RETURN(const ResolveCounts counts, ResolveAgain(out, context));
  return Json{{"decision", decision.together ? "together" : "apart"},
              {"kind", decision.kind},
              {"a", decision.a},
              {"b", decision.b},
              {"reason", decision.reason},
              {"time", decision.time},
              {"counts", ToJson(counts)}};
}

}  // namespace

absl::StatusOr<Json> ListEntities(const std::string& out, const EntityQuery& query) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, OpenEntities(out));
  ASSIGN_OR_RETURN(const Manifest manifest, ReadManifest(out + "/entities"));
  std::string where = "WHERE true";
  if (!query.kind.empty()) where += fmt::format(" AND kind = {}", SqlLiteral(query.kind));
  if (!query.find.empty()) {
    where += fmt::format(
        " AND (contains(lower(name), lower({text})) OR len(list_filter(map_values(attributes) || map_values(keys), v "
        "-> contains(lower(v), lower({text})))) > 0)",
        fmt::arg("text", SqlLiteral(query.find)));
  }
  ASSIGN_OR_RETURN(const uint64_t found, database->QueryCount("SELECT count(*) FROM entities " + where));
  ASSIGN_OR_RETURN(
      Json entities,
      Rows(*database,
           fmt::format("{} {} ORDER BY mentions DESC, records DESC, id LIMIT {}", kEntityRow, where, query.limit), {}));
  return Json{{"counts", manifest.counts}, {"found", found}, {"entities", std::move(entities)}};
}

absl::StatusOr<Json> ShowEntity(const std::string& out, const std::string& id) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, OpenEntities(out));
  ASSIGN_OR_RETURN(Json entity,
                   RowOf(*database, "entity", fmt::format("{} WHERE id LIKE ? ORDER BY id LIMIT 10", kEntityRow), id));
  const std::string whole = entity["id"];
  ASSIGN_OR_RETURN(entity["mentions"],
                   Rows(*database, fmt::format("{} WHERE entity = ? ORDER BY id", kMentionRow), {whole}));
  ASSIGN_OR_RETURN(
      entity["links"],
      Rows(*database,
           fmt::format("{} WHERE a IN (SELECT id FROM entity_mentions WHERE entity = ?) OR b IN (SELECT id "
                       "FROM entity_mentions WHERE entity = ?) ORDER BY state, reason, id",
                       kLinkRow),
           {whole, whole}));
  return entity;
}

absl::StatusOr<Json> UndoLink(const std::string& out, const std::string& link, const std::string& reason,
                              RunContext& context) {
  EntityDecision decision;
  {
    ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, OpenEntities(out));
    ASSIGN_OR_RETURN(const Json row,
                     RowOf(*database, "link", fmt::format("{} WHERE id LIKE ? ORDER BY id LIMIT 10", kLinkRow), link));
    if (row["state"] == Json("undone")) return UsageError(fmt::format("entities: link {} is undone already", link));
    decision = {false, row["kind"], row["a"], row["b"], reason, ""};
  }
  return Decide(out, std::move(decision), context);
}

absl::StatusOr<Json> LinkMentions(const std::string& out, const std::string& a, const std::string& b,
                                  const std::string& reason, RunContext& context) {
  EntityDecision decision;
  {
    ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, OpenEntities(out));
    ASSIGN_OR_RETURN(const Json left, MentionOf(*database, a));
    ASSIGN_OR_RETURN(const Json right, MentionOf(*database, b));
    if (left["id"] == right["id"]) return UsageError(fmt::format("entities: {} and {} are one mention", a, b));
    if (left["kind"] != right["kind"]) {
      return UsageError(fmt::format("entities: {} is a {}, {} is a {}", a, left["kind"].get<std::string>(), b,
                                    right["kind"].get<std::string>()));
    }
    for (const auto& [name, value] : left["keys"].items()) {
      if (!right["keys"].contains(name) || right["keys"][name] == value) continue;
      return UsageError(fmt::format("entities: {} \"{}\" is not {} \"{}\": a key that differs is never linked", name,
                                    value.get<std::string>(), name, right["keys"][name].get<std::string>()));
    }
    decision = {true, left["kind"], left["id"], right["id"], reason, ""};
  }
  return Decide(out, std::move(decision), context);
}

}  // namespace rhodes
