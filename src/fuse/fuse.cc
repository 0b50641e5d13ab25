#include "fuse/fuse.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>

#include "base/file.h"
#include "base/manifest.h"
#include "base/text.h"
#include "record/document_table.h"
#include "store/record_store.h"
#include "store/views.h"
#include "table/database.h"

namespace rhodes {
namespace {

// Ends a query that is running when the user asks to stop; a query cannot look by itself.
class InterruptWatcher {
 public:
  InterruptWatcher(Database& database, const RunContext& context)
      : thread_([this, &database, &context] {
          while (!ended_.load()) {
            if (!context.CheckCancelled().ok()) database.Interrupt();
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
          }
        }) {}
  ~InterruptWatcher() {
    ended_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

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
  std::string meta;  // its type; empty: none
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
    database_options.threads = context_.Threads();
    database_options.memory_bytes = std::max<uint64_t>(context_.memory_bytes, uint64_t{128} << 20);
    database_options.temporary_directory = spill;
    ASSIGN_OR_RETURN(database_, Database::Open(database_options));
    const absl::Status status = MakeAll();
    database_.reset();
    RETURN_IF_ERROR(RemoveTree(spill));
    RETURN_IF_ERROR(status);
    report_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    RETURN_IF_ERROR(
        WriteManifest(staged_->path(), {"fuse", options_.key, options_.settings, ToJson(report_), report_.seconds}));
    RETURN_IF_ERROR(staged_->Commit());
    return report_;
  }

 private:
  absl::Status MakeAll() {
    const InterruptWatcher watcher(*database_, context_);
    RETURN_IF_ERROR(CreateViews(*database_, options_.out));
    ASSIGN_OR_RETURN(sources_, ListSources(options_.out));
    if (views_.empty()) {
      for (const std::string& source : sources_) {
        FuseView view;
        view.name = source;
        view.source = source;
        views_.push_back(view);
      }
    }
    RETURN_IF_ERROR(
        database_->Execute("CREATE TEMP TABLE used (id VARCHAR); CREATE TEMP TABLE made (id VARCHAR PRIMARY KEY)"));
    ASSIGN_OR_RETURN(StagedDirectory staged, StagedDirectory::Open(options_.out + "/documents"));
    staged_.emplace(std::move(staged));
    ASSIGN_OR_RETURN(const std::unique_ptr<DocumentWriter> writer, DocumentWriter::Create(staged_->path()));
    context_.progress->Begin("fuse", views_.size(), "views");
    for (const FuseView& view : views_) {
      RETURN_IF_ERROR(ViewError(view, Make(view)));
      RETURN_IF_ERROR(Write(*writer));
      RETURN_IF_ERROR(context_.CheckCancelled());
      context_.progress->Update(report_.views.size(), view.name);
    }
    context_.progress->End();
    RETURN_IF_ERROR(writer->Finish());
    return CountUse();
  }

  // One view's rows, checked and numbered, as the table `fused`.
  absl::Status Make(const FuseView& view) {
    ASSIGN_OR_RETURN(const std::string sql, Sql(view));
    ASSIGN_OR_RETURN(const ViewColumns columns, Describe(sql));
    if (!columns.text || (!columns.parents && !columns.parent)) {
      return absl::InvalidArgumentError(fmt::format(
          "it must select \"text\" and \"parents\" (a list of record ids) or \"parent\"; it selects {}", columns.all));
    }
    // The statement as it is after one line's prefix, so that DuckDB's line numbers stay those of the user.
    RETURN_IF_ERROR(database_->Execute("CREATE OR REPLACE TEMP TABLE selected AS " + sql));
    if (std::find(sources_.begin(), sources_.end(), view.name) == sources_.end()) {
      RETURN_IF_ERROR(database_->Execute(
          fmt::format("CREATE OR REPLACE TEMP TABLE {} AS FROM selected", SqlIdentifier(view.name))));
    }
    RETURN_IF_ERROR(database_->Execute(fmt::format(
        "CREATE OR REPLACE TEMP TABLE shaped AS SELECT *, substr(sha256(text || "
        "coalesce(chr(0) || nullif(array_to_string(parents, chr(0)), ''), '')), 1, 32) AS id FROM ("
        "SELECT CAST(text AS VARCHAR) AS text, {} AS parents, {} AS time, {} AS language, {} AS meta FROM selected)",
        columns.parents ? "coalesce(list_filter(CAST(parents AS VARCHAR[]), x -> x IS NOT NULL), [])"
                        : "CASE WHEN parent IS NULL THEN [] ELSE [CAST(parent AS VARCHAR)] END",
        columns.time ? "CAST(time AS TIMESTAMP)" : "NULL::TIMESTAMP",
        columns.language ? "CAST(language AS VARCHAR)" : "NULL::VARCHAR", MetaSql(view, columns))));
    RETURN_IF_ERROR(CheckParents());
    RETURN_IF_ERROR(database_->Execute(
        "CREATE OR REPLACE TEMP TABLE origins AS SELECT id, list_sort(list_distinct(list(source))) AS sources FROM "
        "(SELECT s.id, r.source FROM (SELECT DISTINCT id, unnest(parents) AS parent FROM shaped WHERE trim(text) <> "
        "'') s "
        "JOIN (SELECT id, source FROM records) r ON s.parent = r.id) GROUP BY id;"
        "CREATE OR REPLACE TEMP TABLE fused AS SELECT id, any_value(text) AS text, min(time) AS time, "
        "min(language) AS language, any_value(parents) AS parents, min(meta) AS meta "
        "FROM shaped WHERE trim(text) <> '' AND id NOT IN (SELECT id FROM made) GROUP BY id;"
        "INSERT INTO made SELECT id FROM fused;"
        "INSERT INTO used SELECT DISTINCT unnest(parents) FROM fused"));
    FuseReport::View counts;
    counts.name = view.name;
    ASSIGN_OR_RETURN(counts.rows, database_->QueryCount("SELECT count(*) FROM shaped"));
    ASSIGN_OR_RETURN(counts.documents, database_->QueryCount("SELECT count(*) FROM fused"));
    ASSIGN_OR_RETURN(counts.empty,
                     database_->QueryCount("SELECT count(*) FROM shaped WHERE text IS NULL OR trim(text) = ''"));
    counts.duplicates = counts.rows - counts.documents - counts.empty;
    report_.documents += counts.documents;
    report_.views.push_back(counts);
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> Sql(const FuseView& view) const {
    if (view.source.empty()) {
      std::string_view sql = Trim(view.sql);
      while (sql.ends_with(';')) sql = Trim(sql.substr(0, sql.size() - 1));
      // Leading line breaks count as lines, so only the end is trimmed.
      return view.sql.substr(0, static_cast<size_t>(sql.data() + sql.size() - view.sql.data()));
    }
    if (std::find(sources_.begin(), sources_.end(), view.source) == sources_.end()) {
      const std::string nearest = Nearest(view.source, sources_);
      return absl::InvalidArgumentError(
          fmt::format("there is no source \"{}\"{}", view.source,
                      nearest.empty() ? "" : fmt::format("; did you mean \"{}\"?", nearest)));
    }
    return fmt::format(
        "SELECT text, [id] AS parents, time, language, coalesce(fields['title'], fields['package']) AS title FROM {}{}",
        SqlIdentifier(view.source), view.rest ? " WHERE id NOT IN (SELECT id FROM used)" : "");
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
        if (name == "meta") columns.meta = described.String(1, row);
      }
    }
  }

  static std::string MetaSql(const FuseView& view, const ViewColumns& columns) {
    std::string own = fmt::format("json_object('view', {}{})", SqlLiteral(view.name),
                                  columns.title ? ", 'title', CAST(title AS VARCHAR)" : "");
    if (!columns.meta.empty()) {
      const char* meta = columns.meta == "VARCHAR" ? "TRY_CAST(meta AS JSON)" : "to_json(meta)";
      own = fmt::format("json_merge_patch({}, coalesce({}, '{{}}'))", own, meta);
    }
    return fmt::format("CAST({} AS VARCHAR)", own);
  }

  absl::Status CheckParents() {
    ASSIGN_OR_RETURN(
        QueryResult missing,
        database_->Query("SELECT parent FROM (SELECT DISTINCT unnest(parents) AS parent FROM shaped) p "
                         "ANTI JOIN (SELECT id FROM records) r ON p.parent = r.id ORDER BY parent LIMIT 1"));
    ASSIGN_OR_RETURN(const bool any, missing.Next());
    if (any) {
      return absl::InvalidArgumentError(fmt::format(
          "the parent \"{}\" is the id of no record; select the column id of a source", missing.String(0, 0)));
    }
    return absl::OkStatus();
  }

  absl::Status Write(DocumentWriter& writer) {
    ASSIGN_OR_RETURN(QueryResult rows,
                     database_->Query("SELECT f.id, text, time, language, sources, parents, meta FROM fused f "
                                      "LEFT JOIN origins o ON f.id = o.id ORDER BY f.id"));
    Document document;
    while (true) {
      ASSIGN_OR_RETURN(const bool more, rows.Next());
      if (!more) return absl::OkStatus();
      for (size_t row = 0; row < rows.row_count(); ++row) {
        document = {};
        document.id = rows.String(0, row);
        document.text = rows.String(1, row);
        if (!rows.IsNull(2, row)) document.time = rows.Int64(2, row);
        if (!rows.IsNull(3, row)) document.language = rows.String(3, row);
        for (const std::string_view source : rows.StringList(4, row)) document.sources.emplace_back(source);
        for (const std::string_view parent : rows.StringList(5, row)) document.parents.emplace_back(parent);
        if (!rows.IsNull(6, row)) document.meta = rows.String(6, row);
        report_.text_bytes += document.text.size();
        RETURN_IF_ERROR(writer.Append(document));
      }
    }
  }

  absl::Status CountUse() {
    ASSIGN_OR_RETURN(
        QueryResult counts,
        database_->Query(
            "SELECT source, count(*)::UBIGINT, count(u.id)::UBIGINT FROM (SELECT id, source FROM records) r "
            "LEFT JOIN (SELECT DISTINCT id FROM used) u ON r.id = u.id GROUP BY source ORDER BY source"));
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
  std::vector<std::string> sources_;
  std::unique_ptr<Database> database_;
  std::optional<StagedDirectory> staged_;
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
  return {{"documents", report.documents}, {"text_bytes", report.text_bytes}, {"records", report.records},
          {"used", report.used},           {"unused", report.unused},         {"views", views}};
}

absl::StatusOr<FuseReport> Fuse(const FuseOptions& options, RunContext& context) {
  return Fuser(options, context).Run();
}

}  // namespace rhodes
