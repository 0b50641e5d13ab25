#include "value/holdout.h"

#include <algorithm>

#include <fmt/ranges.h>

#include "base/file.h"
#include "base/text.h"
#include "store/record_store.h"
#include "store/views.h"

namespace rhodes {
namespace {

// What a model reads of a record that is not fused.
constexpr char kRecordText[] =
    "coalesce(nullif(trim(text), ''), nullif(trim(TRY(decode(original))), ''), "
    "nullif(array_to_string(list_transform(map_entries(channels), lambda c: c.key || ' ' || c.value), ', '), ''))";

std::string InList(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + SqlLiteral(name);
  return list;
}

absl::Status CheckNames(std::string_view kind, const std::vector<std::string>& wanted,
                        const std::vector<std::string>& known) {
  for (const std::string& name : wanted) {
    if (name == "*" || std::find(known.begin(), known.end(), name) != known.end()) continue;
    const std::string nearest = Nearest(name, known);
    return UsageError(fmt::format("compare: there is no {} \"{}\"{}; there are {}", kind, name,
                                  nearest.empty() ? "" : fmt::format(", did you mean \"{}\"?", nearest),
                                  fmt::join(known, ", ")));
  }
  return absl::OkStatus();
}

bool HasStar(const std::vector<std::string>& names) {
  return std::find(names.begin(), names.end(), "*") != names.end();
}

absl::StatusOr<std::vector<std::string>> Strings(Database& database, const std::string& sql) {
  std::vector<std::string> values;
  ASSIGN_OR_RETURN(QueryResult rows, database.Query(sql));
  while (true) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return values;
    for (size_t row = 0; row < rows.row_count(); ++row) values.emplace_back(rows.String(0, row));
  }
}

absl::StatusOr<Json> CountClasses(Database& database, const std::string& table) {
  Json counts = {{"train", 0}, {"held_out", 0}, {"straddling", 0}, {"embargoed", 0}, {"undated", 0}};
  ASSIGN_OR_RETURN(
      QueryResult rows,
      database.Query(fmt::format("SELECT class, count(*)::UBIGINT FROM {} GROUP BY class ORDER BY class", table)));
  while (true) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return counts;
    for (size_t row = 0; row < rows.row_count(); ++row) counts[std::string(rows.String(0, row))] = rows.UInt64(1, row);
  }
}

}  // namespace

Json ToJson(const TextSelection& selection) {
  Json json = Json::object();
  if (!selection.sources.empty()) json["sources"] = selection.sources;
  if (!selection.views.empty()) json["views"] = selection.views;
  if (!selection.sql.empty()) json["sql"] = selection.sql;
  return json;
}

absl::StatusOr<std::unique_ptr<HoldOut>> HoldOut::Open(const std::string& out, const HoldOutSettings& settings,
                                                       const std::string& temporary, const RunContext& context) {
  std::unique_ptr<HoldOut> held_out(new HoldOut());
  held_out->context_ = &context;
  RETURN_IF_ERROR(CreateDirectories(temporary));
  Database::Options options;
  options.threads = context.Threads();
  options.memory_bytes = std::max<uint64_t>(context.memory_bytes / 2, uint64_t{256} << 20);
  options.temporary_directory = temporary;
  ASSIGN_OR_RETURN(held_out->database_, Database::Open(options));
  RETURN_IF_ERROR(CreateViews(*held_out->database_, out));
  ASSIGN_OR_RETURN(held_out->sources_, ListSources(out));
  const InterruptOnCancel interrupt(*held_out->database_, context);
  RETURN_IF_ERROR(held_out->Judge(settings));
  return held_out;
}

absl::Status HoldOut::FindBoundary(const HoldOutSettings& settings) {
  // The boundary by documents is the time of the first one of the share, so one day's worth of late ones moves little.
  ASSIGN_OR_RETURN(QueryResult span,
                   database_->Query(fmt::format("SELECT min(time), max(time), quantile_disc(time, {}) FROM corpus",
                                                1 - settings.last_share)));
  ASSIGN_OR_RETURN(const bool any, span.Next());
  if (settings.after) {
    boundary_ = *settings.after;
    return absl::OkStatus();
  }
  if (!any || span.IsNull(0, 0)) {
    return absl::FailedPreconditionError(
        "compare: no document has a time, so none can be held out by it: let the views select a column `time`");
  }
  if (settings.of_documents) {
    boundary_ = span.Int64(2, 0);
    return absl::OkStatus();
  }
  const int64_t first = span.Int64(0, 0);
  const int64_t last = span.Int64(1, 0);
  boundary_ = last - static_cast<int64_t>(static_cast<double>(last - first) * settings.last_share);
  return absl::OkStatus();
}

absl::Status HoldOut::Judge(const HoldOutSettings& settings) {
  const absl::StatusOr<uint64_t> documents = database_->QueryCount("SELECT count(*) FROM corpus");
  if (!documents.ok()) {
    return absl::NotFoundError("compare: there is no corpus yet: run the stages up to curate before");
  }
  RETURN_IF_ERROR(FindBoundary(settings));
  const std::string boundary = fmt::format("make_timestamp({})", boundary_);
  RETURN_IF_ERROR(database_->Execute(fmt::format(
      "CREATE TEMP TABLE value_source AS SELECT source, count(time) = 0 AS static FROM records GROUP BY source;"
      "CREATE TEMP TABLE value_time AS SELECT id, source, time, time IS NULL AND NOT static AS undated FROM records "
      "JOIN "
      "value_source USING (source);"
      "CREATE TEMP TABLE value_parent AS SELECT id, unnest(parents) AS parent FROM corpus;"
      "CREATE TEMP TABLE value_latest AS SELECT p.id, max(t.time) AS latest, bool_or(t.undated) AS undated FROM "
      "value_parent p JOIN value_time t ON p.parent = t.id GROUP BY p.id;"
      "CREATE TEMP TABLE value_document AS SELECT d.id, coalesce(json_extract_string(d.meta, '$.view'), '') AS view, "
      "CASE "
      "WHEN coalesce(d.time, p.latest) >= {0} THEN 'held_out' WHEN p.latest >= {0} THEN 'straddling' WHEN p.undated "
      "THEN "
      "'undated' ELSE 'train' END AS class FROM corpus d LEFT JOIN value_latest p ON d.id = p.id;"
      "CREATE TEMP TABLE value_trained AS SELECT DISTINCT parent FROM value_parent p JOIN value_document d ON d.id = "
      "p.id "
      "WHERE class = 'train';"
      "CREATE TEMP TABLE value_told AS SELECT DISTINCT parent FROM value_parent p JOIN value_document d ON d.id = p.id "
      "WHERE class IN ('held_out', 'straddling');"
      "CREATE TEMP TABLE value_record AS SELECT id, source, CASE WHEN time >= {0} THEN 'held_out' WHEN undated THEN "
      "'undated' WHEN time IS NOT NULL AND id IN (SELECT parent FROM value_told) AND id NOT IN (SELECT parent FROM "
      "value_trained) THEN 'embargoed' ELSE 'train' END AS class FROM value_time;"
      "CREATE TEMP VIEW value_unfused AS SELECT r.id, c.source, c.class, {1} AS text FROM records r JOIN value_record "
      "c ON "
      "r.id = c.id;"
      "CREATE TEMP VIEW value_fused AS SELECT d.id, c.view, c.class, d.text FROM corpus d JOIN value_document c ON "
      "d.id = "
      "c.id",
      boundary, kRecordText)));
  ASSIGN_OR_RETURN(views_, Strings(*database_, "SELECT DISTINCT view FROM value_document ORDER BY view"));
  return Count();
}

absl::Status HoldOut::Count() {
  counts_ = Json::object();
  ASSIGN_OR_RETURN(counts_["documents"], CountClasses(*database_, "value_document"));
  ASSIGN_OR_RETURN(counts_["records"], CountClasses(*database_, "value_record"));
  ASSIGN_OR_RETURN(counts_["static_sources"],
                   Strings(*database_, "SELECT source FROM value_source WHERE static ORDER BY source"));
  for (const char* part : {"train", "held_out"}) {
    if (counts_["documents"][part].get<uint64_t>() > 0) continue;
    return absl::FailedPreconditionError(fmt::format(
        "compare: no document {} the boundary {}: choose another one with compare.held_out or compare.after",
        std::string_view(part) == "train" ? "lies before" : "lies behind", boundary_));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> HoldOut::Sql(const TextSelection& selection, TextPart part) {
  RETURN_IF_ERROR(CheckNames("source", selection.sources, sources_));
  RETURN_IF_ERROR(CheckNames("view", selection.views, views_));
  const std::string wanted = part == TextPart::kTrain ? "'train'" : "'held_out'";
  std::vector<std::string> selects;
  const auto add = [&](const char* table, const std::string& condition) {
    selects.push_back(fmt::format("SELECT id, text FROM {} WHERE class = {} AND {}", table, wanted, condition));
  };
  if (!selection.sources.empty()) {
    add("value_unfused",
        HasStar(selection.sources) ? "true" : fmt::format("source IN ({})", InList(selection.sources)));
  }
  if (!selection.views.empty()) {
    add("value_fused", HasStar(selection.views) ? "true" : fmt::format("view IN ({})", InList(selection.views)));
  }
  if (!selection.sql.empty()) {
    RETURN_IF_ERROR(Annotate(database_->RequireOneSelect(selection.sql), "compare.arm.sql"));
    std::string_view sql = Trim(selection.sql);
    while (sql.ends_with(';')) sql = Trim(sql.substr(0, sql.size() - 1));
    const absl::Status made = database_->Execute(fmt::format(
        "CREATE OR REPLACE TEMP TABLE value_chosen AS SELECT DISTINCT CAST(id AS VARCHAR) AS id FROM (\n{}\n)", sql));
    if (!made.ok()) return UsageError(fmt::format("compare.arm.sql must yield a column `id`: {}", Message(made)));
    add("value_unfused", "id IN (SELECT id FROM value_chosen)");
    add("value_fused", "id IN (SELECT id FROM value_chosen)");
  }
  return fmt::format("{}", fmt::join(selects, " UNION ALL "));
}

absl::StatusOr<SelectionCounts> HoldOut::Select(const TextSelection& selection, TextPart part, uint64_t most_bytes,
                                                const std::function<absl::Status(SelectedText)>& take) {
  const InterruptOnCancel interrupt(*database_, *context_);
  ASSIGN_OR_RETURN(const std::string sql, Sql(selection, part));
  RETURN_IF_ERROR(database_->Execute(fmt::format(
      "CREATE OR REPLACE TEMP TABLE value_length AS SELECT min(id) AS id, any_value(strlen(text))::UBIGINT AS "
      "bytes, count(*)::UBIGINT AS copies FROM ({}) WHERE text IS NOT NULL AND trim(text) <> '' GROUP BY "
      "md5(text)",
      sql)));
  SelectionCounts counts;
  ASSIGN_OR_RETURN(counts.texts, database_->QueryCount("SELECT count(*)::UBIGINT FROM value_length"));
  ASSIGN_OR_RETURN(counts.bytes, database_->QueryCount("SELECT coalesce(sum(bytes), 0)::UBIGINT FROM value_length"));
  ASSIGN_OR_RETURN(counts.duplicates,
                   database_->QueryCount("SELECT coalesce(sum(copies - 1), 0)::UBIGINT FROM value_length"));
  ASSIGN_OR_RETURN(counts.empty, database_->QueryCount(fmt::format(
                                     "SELECT count(*)::UBIGINT FROM ({}) WHERE text IS NULL OR trim(text) = ''", sql)));
  ASSIGN_OR_RETURN(
      QueryResult rows,
      database_->Query(fmt::format(
          "SELECT id, any_value(text) FROM ({}) WHERE id IN (SELECT id FROM (SELECT id, sum(bytes) OVER (ORDER "
          "BY id ROWS UNBOUNDED PRECEDING) - bytes AS before FROM value_length) WHERE before < {}) GROUP BY id "
          "ORDER BY id",
          sql, most_bytes)));
  while (true) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return counts;
    for (size_t row = 0; row < rows.row_count(); ++row) {
      RETURN_IF_ERROR(take({std::string(rows.String(0, row)), std::string(rows.String(1, row))}));
    }
  }
}

}  // namespace rhodes
