#include "fuse/view_sql.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "fuse/fused_text.h"

namespace rhodes {
namespace {

// DuckDB counts lines within the statement; people count them in the file it stands in.
std::string WithFileLine(const FuseView& view, const std::string& message) {
  int line = view.line;
  if (const size_t at = message.find("LINE "); at != std::string::npos) {
    int within = 1;
    std::from_chars(message.data() + at + 5, message.data() + message.size(), within);
    line += within - 1;
  }
  const std::string place = view.file.empty() ? "" : fmt::format(" ({}:{})", view.file, line);
  return fmt::format("fuse: view \"{}\"{}: {}", view.name, place, message);
}

std::string ParentsSql(const ViewColumns& columns) {
  if (!columns.parents) return "CASE WHEN parent IS NULL THEN [] ELSE [CAST(parent AS VARCHAR)] END";
  const char* all = "CAST(parents AS VARCHAR[])";
  const std::string present = fmt::format("coalesce(list_filter({}, x -> x IS NOT NULL), [])", all);
  // Spans point into the list, so nothing is taken out of it.
  return columns.spans.empty() ? present : fmt::format("CASE WHEN spans IS NULL THEN {} ELSE {} END", present, all);
}

std::string SpansSql(const ViewColumns& columns) {
  if (columns.spans.empty()) return fmt::format("NULL::{}", kSpansType);
  std::string spans = "spans";
  if (columns.spans.find("parent VARCHAR") != std::string::npos) {
    spans = fmt::format(
        "list_transform(spans, s -> {{'begin': s.\"begin\", 'end': s.\"end\", 'parent': "
        "coalesce(list_position({}, s.parent) - 1, -1)}})",
        columns.parents ? "CAST(parents AS VARCHAR[])" : "[CAST(parent AS VARCHAR)]");
  }
  return fmt::format("checked_spans(CAST(text AS VARCHAR), {}, TRY_CAST({} AS {}))",
                     columns.parents ? "CAST(parents AS VARCHAR[])" : "[CAST(parent AS VARCHAR)]", spans, kSpansType);
}

std::string MetaSql(const FuseView& view, const ViewColumns& columns) {
  // A merge patch leaves out what is NULL.
  std::string own = fmt::format("json_merge_patch('{{}}', json_object('view', {}{}))", SqlLiteral(view.name),
                                columns.title ? ", 'title', CAST(title AS VARCHAR)" : "");
  if (!columns.meta.empty()) {
    const char* meta = columns.meta == "VARCHAR" ? "CAST(nullif(meta, '') AS JSON)" : "to_json(meta)";
    own = fmt::format(
        "json_merge_patch({}, CASE coalesce(json_type({meta}), 'NULL') WHEN 'OBJECT' THEN {meta} WHEN 'NULL' THEN "
        "'{{}}' ELSE error('meta is no struct, map or JSON object: ' || {meta}) END)",
        own, fmt::arg("meta", meta));
  }
  return fmt::format("CAST({} AS VARCHAR)", own);
}

}  // namespace

absl::Status ViewError(const FuseView& view, const absl::Status& status) {
  if (status.ok() || ExitCodeOf(status) != ExitCode::kFailed) return status;
  const std::string message = WithFileLine(view, Message(status));
  return absl::IsInvalidArgument(status) ? UsageError(message) : absl::Status(status.code(), message);
}

absl::StatusOr<ViewColumns> DescribeView(Database& database, const FuseView& view, const std::string& sql) {
  ASSIGN_OR_RETURN(QueryResult described, database.Query("DESCRIBE " + sql));
  ViewColumns columns;
  std::string listed;
  while (true) {
    ASSIGN_OR_RETURN(const bool more, described.Next());
    if (!more) break;
    for (size_t row = 0; row < described.row_count(); ++row) {
      const std::string name = LowerAscii(described.String(0, row));
      listed += (listed.empty() ? "" : ", ") + name;
      columns.all.push_back(fmt::format("{} {}", name, described.String(1, row)));
      columns.text |= name == "text";
      columns.parents |= name == "parents";
      columns.parent |= name == "parent";
      columns.time |= name == "time";
      columns.language |= name == "language";
      columns.title |= name == "title";
      if (name == "spans") columns.spans = described.String(1, row);
      if (name == "meta") columns.meta = described.String(1, row);
    }
  }
  if (!columns.text || (!columns.parents && !columns.parent)) {
    return absl::InvalidArgumentError(fmt::format(
        "it must select \"text\" and \"parents\" (a list of record ids) or \"parent\"; it selects {}", listed));
  }
  if (view.slices.has_value() && !columns.time) {
    return absl::InvalidArgumentError(
        fmt::format("it says slices and must select \"time\", by which they are cut; it selects {}", listed));
  }
  return columns;
}

std::string DocumentsSql(const FuseView& view, const ViewColumns& columns, const std::string& from) {
  return fmt::format(
      "SELECT document_id(text, parents) AS id, * FROM (SELECT CAST(text AS VARCHAR) AS text, {} AS parents, {} AS "
      "time, "
      "{} AS language, {} AS meta, {} AS spans FROM {})",
      ParentsSql(columns), columns.time ? "CAST(time AS TIMESTAMP)" : "NULL::TIMESTAMP",
      columns.language ? "CAST(language AS VARCHAR)" : "NULL::VARCHAR", MetaSql(view, columns), SpansSql(columns),
      from);
}

absl::StatusOr<std::string> SqlOf(Database& database, const FuseView& view, const std::vector<std::string>& sources) {
  if (view.source.empty()) {
    std::string_view sql = Trim(view.sql);
    while (sql.ends_with(';')) sql = Trim(sql.substr(0, sql.size() - 1));
    if (sql.empty()) return absl::InvalidArgumentError("there is no SQL in it");
    // Leading line breaks count as lines, so only the end is trimmed.
    std::string whole = view.sql.substr(0, static_cast<size_t>(sql.data() + sql.size() - view.sql.data()));
    RETURN_IF_ERROR(database.RequireOneSelect(whole));
    return whole;
  }
  if (std::find(sources.begin(), sources.end(), view.source) == sources.end()) {
    const std::string nearest = Nearest(view.source, sources);
    return absl::InvalidArgumentError(
        fmt::format("there is no source \"{}\"{}", view.source,
                    nearest.empty() ? "" : fmt::format("; did you mean \"{}\"?", nearest)));
  }
  return fmt::format(
      "SELECT text, [id] AS parents, time, language, coalesce(fields['title'], fields['package']) AS title "
      "FROM main.{}{}",
      SqlIdentifier(view.source), view.rest ? " WHERE id NOT IN (SELECT id FROM rhodes_used)" : "");
}

}  // namespace rhodes
