#include "fuse/fuse.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <memory>
#include <optional>

#include "base/file.h"
#include "base/manifest.h"
#include "base/text.h"
#include "fuse/document_id.h"
#include "fuse/orbit_functions.h"
#include "fuse/fused_text.h"
#include "fuse/render.h"
#include "fuse/row_order.h"
#include "record/document_table.h"
#include "store/record_store.h"
#include "store/views.h"
#include "table/database.h"
#include "table/part_list.h"

namespace rhodes {
namespace {

constexpr uint64_t kThreadMemory = uint64_t{128} << 20;

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

absl::Status ViewError(const FuseView& view, const absl::Status& status) {
  if (status.ok() || ExitCodeOf(status) != ExitCode::kFailed) return status;
  const std::string message = WithFileLine(view, Message(status));
  return absl::IsInvalidArgument(status) ? UsageError(message) : absl::Status(status.code(), message);
}

struct ViewColumns {
  bool text = false;
  bool parents = false;
  bool parent = false;
  bool time = false;
  bool language = false;
  bool title = false;
  std::string spans;  // its type; empty: none
  std::string meta;   // its type; empty: none
  std::string all;
};

class Fuser {
 public:
  Fuser(const FuseOptions& options, RunContext& context)
      : options_(options), context_(context), views_(options.views) {}

  absl::StatusOr<FuseReport> Run() {
    const auto begun = std::chrono::steady_clock::now();
    const std::string spill = options_.out + "/.fuse";
    RETURN_IF_ERROR(RemoveTree(spill));
    Database::Options database_options;
    // The rest is for the parts on their way to the disk. A thread that sorts cannot do with less than kThreadMemory.
    database_options.memory_bytes = std::max<uint64_t>(context_.memory_bytes / 4 * 3, kThreadMemory);
    threads_ = std::clamp(static_cast<int>(database_options.memory_bytes / kThreadMemory), 1, context_.Threads());
    database_options.threads = threads_;
    database_options.temporary_directory = spill;
    ASSIGN_OR_RETURN(database_, Database::Open(database_options));
    const absl::Status status = MakeAll();
    database_.reset();
    RETURN_IF_ERROR(RemoveTree(spill));
    RETURN_IF_ERROR(status);
    report_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    Manifest manifest{"fuse", report_.failed.empty() ? options_.key : "", options_.settings, ToJson(report_),
                      report_.seconds};
    manifest.extra["files"] = std::move(files_);
    RETURN_IF_ERROR(WriteManifest(staged_->path(), manifest));
    RETURN_IF_ERROR(staged_->Commit());
    return report_;
  }

 private:
  absl::Status MakeAll() {
    const InterruptOnCancel watch(*database_, context_);
    RETURN_IF_ERROR(CreateViews(*database_, options_.out));
    RETURN_IF_ERROR(RegisterDocumentId(*database_));
    RETURN_IF_ERROR(RegisterCheckedSpans(*database_));
    RETURN_IF_ERROR(RegisterOrbitFunctions(*database_));
    RETURN_IF_ERROR(RegisterRender(*database_, options_.templates));
    RETURN_IF_ERROR(database_->ConfineTo({options_.out}));
    ASSIGN_OR_RETURN(sources_, ListSources(options_.out));
    if (views_.empty()) {
      for (const std::string& source : sources_) {
        FuseView& view = views_.emplace_back();
        view.name = source;
        view.source = source;
      }
    }
    RETURN_IF_ERROR(
        database_->Execute("CREATE TEMP TABLE rhodes_origin AS SELECT id, source FROM main.records;"
                           "CREATE TEMP TABLE rhodes_used (id VARCHAR); CREATE TEMP TABLE rhodes_made (id VARCHAR)"));
    ASSIGN_OR_RETURN(StagedDirectory staged, StagedDirectory::Open(options_.out + "/documents"));
    staged_.emplace(std::move(staged));
    ASSIGN_OR_RETURN(const std::unique_ptr<DocumentWriter> writer, DocumentWriter::Create(staged_->path()));
    context_.progress->Begin("fuse", views_.size(), "views");
    for (const FuseView& view : views_) {
      if (const absl::Status made = ViewError(view, Make(view)); !made.ok()) {
        // What is wrong with a view is a wrong argument; a full disk or too little memory stops the others too.
        if (!options_.keep_going || !absl::IsInvalidArgument(made)) return made;
        report_.failed.push_back({view.name, Message(made)});
        continue;
      }
      RETURN_IF_ERROR(Write(view, *writer));
      RETURN_IF_ERROR(Remember());
      context_.progress->Update(report_.views.size(), view.name);
    }
    context_.progress->End();
    if (report_.views.empty() && !report_.failed.empty()) return StatusOf(report_);
    RETURN_IF_ERROR(writer->Finish());
    files_ = PartsToJson(writer->parts());
    return CountUse();
  }

  // The view's documents as the table rhodes_fused, which may hold one several times; the sources of
  // each as rhodes_origins.
  absl::Status Make(const FuseView& view) {
    ASSIGN_OR_RETURN(const std::string sql, Sql(view));
    ASSIGN_OR_RETURN(const ViewColumns columns, Describe(sql));
    if (!columns.text || (!columns.parents && !columns.parent)) {
      return absl::InvalidArgumentError(fmt::format(
          "it must select \"text\" and \"parents\" (a list of record ids) or \"parent\"; it selects {}", columns.all));
    }
    RETURN_IF_ERROR(Select(view, sql));
    FuseReport::View counts;
    counts.name = view.name;
    ASSIGN_OR_RETURN(counts.rows, database_->QueryCount("SELECT count(*) FROM temp.rhodes_selected"));
    RETURN_IF_ERROR(database_->Execute(fmt::format(
        "CREATE OR REPLACE TEMP TABLE rhodes_fused AS SELECT * FROM (SELECT document_id(text, parents) AS id, * FROM ("
        "SELECT CAST(text AS VARCHAR) AS text, {} AS parents, {} AS time, {} AS language, {} AS meta, {} AS spans "
        "FROM temp.rhodes_selected)) WHERE id IS NOT NULL",
        ParentsSql(columns), columns.time ? "CAST(time AS TIMESTAMP)" : "NULL::TIMESTAMP",
        columns.language ? "CAST(language AS VARCHAR)" : "NULL::VARCHAR", MetaSql(view, columns), SpansSql(columns))));
    ASSIGN_OR_RETURN(const uint64_t with_text, database_->QueryCount("SELECT count(*) FROM rhodes_fused"));
    counts.empty = counts.rows - with_text;
    report_.views.push_back(counts);
    RETURN_IF_ERROR(database_->Execute(
        "CREATE OR REPLACE TEMP TABLE rhodes_link AS SELECT DISTINCT id, unnest(parents) AS parent FROM rhodes_fused"));
    if (!view.source.empty()) return absl::OkStatus();  // each record is its own only parent
    RETURN_IF_ERROR(CheckParents());
    return database_->Execute(
        "CREATE OR REPLACE TEMP TABLE rhodes_origins AS SELECT l.id, list_sort(list(DISTINCT o.source)) AS sources "
        "FROM rhodes_link l JOIN rhodes_origin o ON l.parent = o.id GROUP BY l.id");
  }

  // What the view selects, as rhodes_selected and, for later views, under its own name where that is no source's.
  absl::Status Select(const FuseView& view, const std::string& sql) {
    const bool named = std::find(sources_.begin(), sources_.end(), view.name) == sources_.end();
    const std::string name = SqlIdentifier(named ? view.name : "rhodes view " + view.name);
    if (view.source.empty()) {
      // Rows that arrive in another order would make other documents: several threads only where that cannot be.
      ASSIGN_OR_RETURN(const bool parallel, KeepsRowOrder(*database_, sql));
      if (!parallel) RETURN_IF_ERROR(database_->Execute("SET threads = 1"));
      RETURN_IF_ERROR(database_->Execute("SELECT setseed(0.5)"));
      // The statement begins in the first line, so that DuckDB's line numbers stay those of the user.
      const absl::Status status = database_->Execute(fmt::format("CREATE TEMP TABLE {} AS {}", name, sql));
      if (!parallel) RETURN_IF_ERROR(database_->Execute(fmt::format("SET threads = {}", threads_)));
      RETURN_IF_ERROR(status);
    } else {
      // A source's records stay in their parts; those that are left over are another set after each view.
      RETURN_IF_ERROR(
          database_->Execute(fmt::format("CREATE TEMP {} {} AS {}", view.rest ? "TABLE" : "VIEW", name, sql)));
    }
    return database_->Execute(fmt::format("CREATE OR REPLACE TEMP VIEW rhodes_selected AS FROM temp.{}", name));
  }

  absl::StatusOr<std::string> Sql(const FuseView& view) const {
    if (view.source.empty()) {
      std::string_view sql = Trim(view.sql);
      while (sql.ends_with(';')) sql = Trim(sql.substr(0, sql.size() - 1));
      if (sql.empty()) return absl::InvalidArgumentError("there is no SQL in it");
      // Leading line breaks count as lines, so only the end is trimmed.
      std::string whole = view.sql.substr(0, static_cast<size_t>(sql.data() + sql.size() - view.sql.data()));
      RETURN_IF_ERROR(database_->RequireOneSelect(whole));
      return whole;
    }
    if (std::find(sources_.begin(), sources_.end(), view.source) == sources_.end()) {
      const std::string nearest = Nearest(view.source, sources_);
      return absl::InvalidArgumentError(
          fmt::format("there is no source \"{}\"{}", view.source,
                      nearest.empty() ? "" : fmt::format("; did you mean \"{}\"?", nearest)));
    }
    return fmt::format(
        "SELECT text, [id] AS parents, time, language, coalesce(fields['title'], fields['package']) AS title "
        "FROM main.{}{}",
        SqlIdentifier(view.source), view.rest ? " WHERE id NOT IN (SELECT id FROM rhodes_used)" : "");
  }

  absl::StatusOr<ViewColumns> Describe(const std::string& sql) {
    ASSIGN_OR_RETURN(QueryResult described, database_->Query("DESCRIBE " + sql));
    ViewColumns columns;
    while (true) {
      ASSIGN_OR_RETURN(const bool more, described.Next());
      if (!more) return columns;
      for (size_t row = 0; row < described.row_count(); ++row) {
        const std::string name = LowerAscii(described.String(0, row));
        columns.all += (columns.all.empty() ? "" : ", ") + name;
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
  }

  static std::string ParentsSql(const ViewColumns& columns) {
    if (!columns.parents) return "CASE WHEN parent IS NULL THEN [] ELSE [CAST(parent AS VARCHAR)] END";
    const char* all = "CAST(parents AS VARCHAR[])";
    const std::string present = fmt::format("coalesce(list_filter({}, x -> x IS NOT NULL), [])", all);
    // Spans point into the list, so nothing is taken out of it.
    return columns.spans.empty() ? present : fmt::format("CASE WHEN spans IS NULL THEN {} ELSE {} END", present, all);
  }

  static std::string SpansSql(const ViewColumns& columns) {
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

  static std::string MetaSql(const FuseView& view, const ViewColumns& columns) {
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

  absl::Status CheckParents() {
    ASSIGN_OR_RETURN(const uint64_t orphans,
                     database_->QueryCount("SELECT count(*) FROM rhodes_fused WHERE len(parents) = 0"));
    if (orphans > 0) {
      return absl::InvalidArgumentError(
          fmt::format("{} rows have a text and no parent; every document names the records it was made from", orphans));
    }
    ASSIGN_OR_RETURN(QueryResult missing,
                     database_->Query("SELECT min(parent) FROM rhodes_link l ANTI JOIN rhodes_origin o ON "
                                      "l.parent = o.id"));
    ASSIGN_OR_RETURN(const bool any, missing.Next());
    if (any && !missing.IsNull(0, 0)) {
      return absl::InvalidArgumentError(fmt::format(
          "the parent \"{}\" is the id of no record; select the column id of a source", missing.String(0, 0)));
    }
    return absl::OkStatus();
  }

  // In the order of the ids; of the rows that make the same document, the first.
  absl::Status Write(const FuseView& view, DocumentWriter& writer) {
    FuseReport::View& counts = report_.views.back();
    const bool one_source = !view.source.empty();
    const std::string sources = one_source ? fmt::format("[{}] AS sources", SqlLiteral(view.source)) : "sources";
    ASSIGN_OR_RETURN(
        QueryResult rows,
        database_->Query(fmt::format("SELECT f.id, text, time, language, {}, parents, meta, spans FROM rhodes_fused f "
                                     "{} {} ORDER BY f.id, time, language, meta, spans",
                                     sources, one_source ? "" : "JOIN rhodes_origins o ON o.id = f.id",
                                     report_.views.size() == 1 ? "" : "ANTI JOIN rhodes_made m ON m.id = f.id")));
    Document document;
    while (true) {
      ASSIGN_OR_RETURN(const bool more, rows.Next());
      if (!more) break;
      RETURN_IF_ERROR(context_.CheckCancelled());
      for (size_t row = 0; row < rows.row_count(); ++row) {
        if (rows.String(0, row) == document.id) continue;
        FillDocument(rows, row, document);
        ++counts.documents;
        report_.text_bytes += document.text.size();
        RETURN_IF_ERROR(writer.Append(document));
      }
    }
    counts.duplicates = counts.rows - counts.empty - counts.documents;
    report_.documents += counts.documents;
    return absl::OkStatus();
  }

  static void FillDocument(const QueryResult& rows, size_t row, Document& document) {
    document.id = rows.String(0, row);
    document.text = rows.String(1, row);
    document.time.reset();
    if (!rows.IsNull(2, row)) document.time = rows.Int64(2, row);
    document.language = rows.IsNull(3, row) ? std::string_view() : rows.String(3, row);
    const std::vector<std::string_view> sources = rows.StringList(4, row);
    document.sources.assign(sources.begin(), sources.end());
    const std::vector<std::string_view> parents = rows.StringList(5, row);
    document.parents.assign(parents.begin(), parents.end());
    document.meta = rows.IsNull(6, row) ? std::string_view() : rows.String(6, row);
    document.spans.clear();
    for (const auto& [begin, end, parent] : rows.TripleList(7, row)) document.spans.push_back({begin, end, parent});
  }

  // For the views that follow: which documents there are, which records are in one.
  absl::Status Remember() {
    return database_->Execute(
        "INSERT INTO rhodes_made SELECT id FROM rhodes_fused; INSERT INTO rhodes_used SELECT DISTINCT parent FROM "
        "rhodes_link");
  }

  absl::Status CountUse() {
    ASSIGN_OR_RETURN(
        QueryResult counts,
        database_->Query(
            "SELECT source, count(*)::UBIGINT, count(u.id)::UBIGINT FROM (SELECT id, source FROM main.records) r "
            "LEFT JOIN (SELECT DISTINCT id FROM rhodes_used) u ON r.id = u.id GROUP BY source ORDER BY source"));
    while (true) {
      ASSIGN_OR_RETURN(const bool more, counts.Next());
      if (!more) return absl::OkStatus();
      for (size_t row = 0; row < counts.row_count(); ++row) {
        report_.records += counts.UInt64(1, row);
        report_.used += counts.UInt64(2, row);
        report_.unused[std::string(counts.String(0, row))] = counts.UInt64(1, row) - counts.UInt64(2, row);
      }
    }
  }

  const FuseOptions& options_;
  RunContext& context_;
  std::vector<FuseView> views_;
  int threads_ = 1;
  std::vector<std::string> sources_;
  std::unique_ptr<Database> database_;
  std::optional<StagedDirectory> staged_;
  Json files_;
  FuseReport report_;
};

}  // namespace

Json ToJson(const FuseReport& report) {
  Json views = Json::array();
  for (const FuseReport::View& view : report.views) {
    views.push_back({{"name", view.name},
                     {"rows", view.rows},
                     {"documents", view.documents},
                     {"empty", view.empty},
                     {"duplicates", view.duplicates}});
  }
  Json failed = Json::array();
  for (const FuseReport::Failed& view : report.failed) {
    failed.push_back({{"name", view.name}, {"message", view.message}});
  }
  Json json = {{"documents", report.documents}, {"text_bytes", report.text_bytes}, {"records", report.records},
               {"used", report.used},           {"unused", report.unused},         {"views", views}};
  if (!report.failed.empty()) json["failed"] = std::move(failed);
  return json;
}

absl::Status StatusOf(const FuseReport& report) {
  if (report.failed.empty()) return absl::OkStatus();
  std::string message;
  for (const FuseReport::Failed& view : report.failed) message += (message.empty() ? "" : "\n") + view.message;
  return absl::FailedPreconditionError(message);
}

absl::StatusOr<FuseReport> Fuse(const FuseOptions& options, RunContext& context) {
  return Fuser(options, context).Run();
}

}  // namespace rhodes
