#include "fuse/fuse.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>

#include "base/file.h"
#include "base/hash.h"
#include "base/manifest.h"
#include "base/text.h"
#include "fuse/document_id.h"
#include "fuse/explain.h"
#include "fuse/functions.h"
#include "fuse/fuse_output.h"
#include "fuse/fuse_state.h"
#include "fuse/fused_text.h"
#include "fuse/orbit_functions.h"
#include "fuse/render.h"
#include "fuse/source_scope.h"
#include "fuse/take_over.h"
#include "fuse/view_check.h"
#include "fuse/view_plan.h"
#include "fuse/view_sql.h"
#include "fuse/view_units.h"
#include "store/record_store.h"
#include "store/views.h"
#include "table/database.h"

namespace rhodes {
namespace {

constexpr uint64_t kThreadMemory = uint64_t{128} << 20;

// A view on its way.
struct WorkedView {
  FuseView view;
  std::string sql;
  ViewColumns columns;
  ViewPlan plan;
  std::string definition;
  std::string made_from;  // hash of all that its rows depend on; empty: they may be others each time
  std::vector<ViewUnit> units;
  std::string table;  // what later views select from; empty: none does
  bool filled = false;
};

// SQL sees files below the absolute path only.
std::string Absolute(const std::string& path) {
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  return error ? path : absolute.lexically_normal().string();
}

class Fuser {
 public:
  Fuser(const FuseOptions& options, RunContext& context)
      : options_(options), context_(context), out_(Absolute(options.out)) {}

  absl::StatusOr<FuseReport> Run() {
    const auto begun = std::chrono::steady_clock::now();
    const std::string spill = out_ + "/.fuse";
    RETURN_IF_ERROR(RemoveTree(spill));
    ASSIGN_OR_RETURN(database_, OpenFuseDatabase(options_, context_));
    threads_ = FuseThreads(context_);
    const absl::Status status = MakeAll();
    planner_.reset();
    scope_.reset();
    database_.reset();
    RETURN_IF_ERROR(RemoveTree(spill));
    RETURN_IF_ERROR(status);
    if (unchanged_) return FinishUnchanged(begun);
    report_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    Manifest manifest{"fuse", report_.failed.empty() ? options_.key : "", options_.settings, ToJson(report_),
                      report_.seconds};
    RETURN_IF_ERROR(output_->Commit(next_, std::move(manifest)));
    return report_;
  }

  absl::StatusOr<ViewExplanation> Explain(const std::string& name) {
    ASSIGN_OR_RETURN(database_, OpenFuseDatabase(options_, context_));
    threads_ = FuseThreads(context_);
    const InterruptOnCancel watch(*database_, context_);
    RETURN_IF_ERROR(Begin());
    RETURN_IF_ERROR(CreateTables());
    old_ = ReadFuseState(out_);
    std::vector<std::string> names;
    for (size_t i = 0; i < views_.size(); ++i) {
      const bool asked = views_[i].name == name;
      names.push_back(views_[i].name);
      WorkedView worked;
      worked.view = views_[i];
      const absl::Status planned = ViewError(worked.view, Plan(views_, i, worked));
      RETURN_IF_ERROR(scope_->ShowAll());
      if (asked && planned.ok()) return Explained(worked);
      if (asked || (!planned.ok() && !absl::IsInvalidArgument(planned))) return planned;
      if (!planned.ok()) failed_.insert(views_[i].name);
      if (planned.ok()) worked_.push_back(std::move(worked));
    }
    const std::string nearest = Nearest(name, names);
    return UsageError(fmt::format("there is no view \"{}\"{}", name,
                                  nearest.empty() ? "" : fmt::format("; did you mean \"{}\"?", nearest)));
  }

 private:
  absl::StatusOr<ViewExplanation> Explained(const WorkedView& worked) {
    ViewExplanation explanation;
    explanation.name = worked.view.name;
    if (!worked.view.file.empty()) explanation.place = fmt::format("{}:{}", worked.view.file, worked.view.line);
    explanation.columns = worked.columns.all;
    explanation.plan = worked.plan;
    explanation.units = worked.units.size();
    if (const FuseViewState* const old = old_.Find(worked.view.name)) {
      std::set<std::string> known;
      for (const FuseUnit& unit : old->units) known.insert(unit.key);
      for (const ViewUnit& unit : worked.units) {
        explanation.unchanged += !unit.key.empty() && known.contains(unit.key) ? 1 : 0;
      }
    }
    ASSIGN_OR_RETURN(QueryResult plan, database_->Query("EXPLAIN " + worked.sql));
    ASSIGN_OR_RETURN(const bool any, plan.Next());
    if (any) explanation.operators = plan.String(1, 0);
    return explanation;
  }

  absl::Status MakeAll() {
    const InterruptOnCancel watch(*database_, context_);
    RETURN_IF_ERROR(Begin());
    const std::vector<FuseView>& views = views_;
    if (options_.incremental) {
      old_ = ReadFuseState(out_);
      unchanged_ = !old_.run.empty() && old_.run == RunHash();
      if (unchanged_) return absl::OkStatus();
      RETURN_IF_ERROR(OpenOldDocuments(*database_, out_, old_));
    }
    RETURN_IF_ERROR(CreateTables());
    RETURN_IF_ERROR(LookForAnomalies());
    ASSIGN_OR_RETURN(FuseOutput output, FuseOutput::Open(out_));
    output_.emplace(std::move(output));
    context_.progress->Begin("fuse", views.size(), "views");
    for (size_t i = 0; i < views.size(); ++i) {
      absl::Status made = MakeView(views, i);
      RETURN_IF_ERROR(database_->Execute(fmt::format("SET threads = {}", threads_)));
      RETURN_IF_ERROR(scope_->ShowAll());
      if (made = ViewError(views[i], made); !made.ok()) {
        // What is wrong with a view is a wrong argument; a full disk or too little memory stops the others too.
        if (!options_.keep_going || !absl::IsInvalidArgument(made)) return made;
        report_.failed.push_back({views[i].name, Message(made)});
        failed_.insert(views[i].name);
        continue;
      }
      RETURN_IF_ERROR(Write(worked_.back()));
      RETURN_IF_ERROR(Remember());
      context_.progress->Update(i + 1, views[i].name);
    }
    context_.progress->End();
    if (report_.views.empty() && !report_.failed.empty()) return StatusOf(report_);
    RETURN_IF_ERROR(output_->Finish(next_));
    const bool stable =
        report_.failed.empty() &&
        std::all_of(worked_.begin(), worked_.end(), [](const WorkedView& one) { return one.plan.unstable.empty(); });
    if (stable) next_.run = RunHash();
    return CountUse();
  }

  // Of all records and all that is made of them.
  std::string RunHash() const {
    std::string all;
    for (const FuseView& view : views_) all += DefinitionOf(view, options_.templates, {}) + "\n";
    for (const SourceScope::Source& source : scope_->sources()) {
      all += source.name + "\n";
      for (const SourceScope::Part& part : source.parts) all += part.sha256 + "\n";
    }
    return ContentId({all});
  }

  // Nothing changed since the last run: its documents stay as they are.
  absl::StatusOr<FuseReport> FinishUnchanged(std::chrono::steady_clock::time_point begun) {
    ASSIGN_OR_RETURN(Manifest manifest, ReadManifest(out_ + "/documents"));
    ASSIGN_OR_RETURN(report_, FuseReportFromJson(manifest.counts));
    for (FuseReport::View& view : report_.views) view.taken_over = view.documents;
    report_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    if (manifest.key != options_.key || manifest.settings != options_.settings) {
      manifest.key = options_.key;
      manifest.settings = options_.settings;
      RETURN_IF_ERROR(WriteManifest(out_ + "/documents", manifest));
    }
    return report_;
  }

  // What every run needs: sources, views and the tables that they may see.
  absl::Status Begin() {
    ASSIGN_OR_RETURN(SourceScope scope, SourceScope::Open(*database_, out_));
    scope_.emplace(std::move(scope));
    ASSIGN_OR_RETURN(ViewPlanner planner, ViewPlanner::Create(*database_, *scope_));
    planner_.emplace(std::move(planner));
    for (const SourceScope::Source& source : scope_->sources()) sources_.push_back(source.name);
    views_ = options_.views;
    if (views_.empty()) {
      for (const std::string& source : sources_) {
        views_.emplace_back();
        views_.back().name = views_.back().source = source;
      }
    }
    worked_.reserve(views_.size());
    return absl::OkStatus();
  }

  absl::Status CreateTables() {
    return database_->Execute(
        "CREATE TEMP TABLE rhodes_origin AS SELECT id, source FROM main.records;"
        "CREATE TEMP TABLE rhodes_used (id VARCHAR); CREATE TEMP TABLE rhodes_made (id VARCHAR)");
  }

  // The view's documents as the table rhodes_fused, which may hold one several times; the sources of each as
  // rhodes_origins.
  absl::Status MakeView(const std::vector<FuseView>& views, size_t number) {
    WorkedView worked;
    worked.view = views[number];
    RETURN_IF_ERROR(Plan(views, number, worked));
    worked_.push_back(std::move(worked));
    absl::Status made = MakeDocuments(worked_.back());
    if (!made.ok()) worked_.pop_back();
    return made;
  }

  absl::Status Plan(const std::vector<FuseView>& views, size_t number, WorkedView& worked) {
    const FuseView& view = worked.view;
    const ViewCheckOptions check = CheckOptionsOf(view);
    absl::StatusOr<std::string> sql = SqlOf(*database_, view, sources_);
    if (!sql.ok()) return view.source.empty() ? NamingTheNearest(sql.status(), view.sql, check.known) : sql.status();
    worked.sql = *std::move(sql);
    for (const std::string& name : failed_) {
      if (view.source.empty() && Mentions(worked.sql, name)) {
        const absl::Status bound = database_->Query("DESCRIBE " + worked.sql).status();
        if (!bound.ok())
          return absl::InvalidArgumentError(fmt::format("it selects from the view \"{}\", which failed", name));
      }
    }
    if (view.source.empty()) RETURN_IF_ERROR(CheckView(*database_, worked.sql, check));
    ASSIGN_OR_RETURN(worked.columns, DescribeView(*database_, view, worked.sql));
    const bool referenced = IsReferenced(views, number);
    std::vector<std::string> earlier;
    for (const WorkedView& one : worked_) {
      if (!one.table.empty()) earlier.push_back(one.view.name);
    }
    ASSIGN_OR_RETURN(worked.plan, planner_->Plan(view, worked.sql, earlier, referenced));
    std::vector<std::string> made_from;
    for (const WorkedView& one : worked_) {
      const std::vector<std::string>& reads = worked.plan.earlier;
      if (!view.rest && std::find(reads.begin(), reads.end(), one.view.name) == reads.end()) continue;
      made_from.push_back(one.made_from);
      if (one.made_from.empty() && worked.plan.unstable.empty()) {
        worked.plan.unstable = fmt::format("it depends on the view {}, which {}", one.view.name, one.plan.unstable);
      }
    }
    if (worked.plan.uses_catalogue) {
      ASSIGN_OR_RETURN(const std::string elements, PartsWithElements());
      made_from.push_back(elements);
    }
    worked.definition = DefinitionOf(view, options_.templates, made_from);
    ASSIGN_OR_RETURN(worked.units,
                     UnitsOf(*database_, *scope_, view, worked.plan, worked.definition, old_.times, next_.times));
    std::string keys;
    for (const ViewUnit& unit : worked.units) keys += unit.key + "\n";
    if (worked.plan.unstable.empty()) worked.made_from = ContentId({worked.definition, keys});
    if (!referenced) return absl::OkStatus();
    worked.table = fmt::format("temp.{}", SqlIdentifier(view.name));
    return database_->Execute(
        fmt::format("CREATE TEMP TABLE {} AS {}\nWITH NO DATA", SqlIdentifier(view.name), worked.sql));
  }

  ViewCheckOptions CheckOptionsOf(const FuseView& view) const {
    ViewCheckOptions options;
    options.known = sources_;
    for (const WorkedView& one : worked_) {
      if (!one.table.empty()) options.known.push_back(one.view.name);
    }
    options.allow_cross_product = view.allow_cross_product;
    options.allow_nondeterministic = view.allow_nondeterministic;
    return options;
  }

  absl::Status LookForAnomalies() {
    if (!options_.anomalies.has_value()) return absl::OkStatus();
    ASSIGN_OR_RETURN(report_.anomalies, FindAnomalies(*database_, *options_.anomalies, threads_));
    for (const std::string& line : Lines(*report_.anomalies)) context_.progress->Say("fuse: " + line);
    return absl::OkStatus();
  }

  // The parts of the sources that have element sets of satellites.
  absl::StatusOr<std::string> PartsWithElements() {
    ASSIGN_OR_RETURN(QueryResult rows,
                     database_->Query("SELECT DISTINCT source FROM main.records WHERE kind = 'element-set'"));
    std::set<std::string> sources;
    while (true) {
      ASSIGN_OR_RETURN(const bool more, rows.Next());
      if (!more) break;
      for (size_t row = 0; row < rows.row_count(); ++row) sources.emplace(rows.String(0, row));
    }
    std::string parts;
    for (const SourceScope::Source& source : scope_->sources()) {
      if (!sources.contains(source.name)) continue;
      for (const SourceScope::Part& part : source.parts) parts += fmt::format("{} {}\n", source.name, part.sha256);
    }
    return parts;
  }

  bool IsReferenced(const std::vector<FuseView>& views, size_t number) const {
    const std::string& name = views[number].name;
    if (scope_->Has(name)) return false;  // the name means the source
    return std::any_of(views.begin() + static_cast<std::ptrdiff_t>(number) + 1, views.end(),
                       [&](const FuseView& later) { return Mentions(later.sql, name); });
  }

  // Gives the table of an earlier view its rows, when something is to be made of them.
  absl::Status Fill(WorkedView& worked) {
    if (worked.filled) return absl::OkStatus();
    worked.filled = true;
    RETURN_IF_ERROR(FillEarlier(worked));
    for (const ViewUnit& unit : worked.units) {
      RETURN_IF_ERROR(Show(worked, unit));
      RETURN_IF_ERROR(Evaluate(worked, fmt::format("INSERT INTO {} {}", worked.table, RowsOf(worked, unit))));
    }
    return scope_->ShowAll();
  }
  absl::Status FillEarlier(const WorkedView& worked) {
    for (WorkedView& one : worked_) {
      const std::vector<std::string>& reads = worked.plan.earlier;
      if (std::find(reads.begin(), reads.end(), one.view.name) == reads.end()) continue;
      RETURN_IF_ERROR(Fill(one));
    }
    return absl::OkStatus();
  }

  absl::Status Show(const WorkedView& worked, const ViewUnit& unit) {
    switch (worked.plan.way) {
      case ViewPlan::Way::kParts:
        return scope_->ShowPart(unit.source, unit.part);
      case ViewPlan::Way::kSlices:
        return scope_->ShowBetween(unit.reach_begin, unit.reach_end, unit.parts);
      case ViewPlan::Way::kWhole:
        break;
    }
    return scope_->ShowAll();
  }

  // A SELECT of the view's rows of one unit. The view's statement begins in the first line, so that DuckDB's line
  // numbers stay those of the user.
  static std::string RowsOf(const WorkedView& worked, const ViewUnit& unit) {
    if (worked.plan.way != ViewPlan::Way::kSlices) return worked.sql;
    return fmt::format(
        "SELECT * FROM ({}\n) WHERE time IS NULL OR (CAST(time AS TIMESTAMP) >= make_timestamp({}) AND CAST(time AS "
        "TIMESTAMP) < make_timestamp({}))",
        worked.sql, unit.begin, unit.end);
  }

  absl::Status Evaluate(const WorkedView& worked, const std::string& sql) {
    // Rows that arrive in another order would make other documents: several threads only where that cannot be.
    const int threads = worked.plan.parallel ? threads_ : 1;
    RETURN_IF_ERROR(database_->Execute(fmt::format("SET threads = {}", threads)));
    RETURN_IF_ERROR(database_->Execute("SELECT setseed(0.5)"));
    RETURN_IF_ERROR(database_->Execute(sql));
    return database_->Execute(fmt::format("SET threads = {}", threads_));
  }

  absl::Status MakeDocuments(WorkedView& worked) {
    FuseViewState state;
    state.name = worked.view.name;
    state.first_row = output_->rows();
    for (const ViewUnit& unit : worked.units) state.units.push_back({unit.key});
    RETURN_IF_ERROR(database_->Execute(fmt::format(
        "CREATE OR REPLACE TEMP TABLE rhodes_fused (unit UBIGINT, id VARCHAR, text VARCHAR, parents VARCHAR[], time "
        "TIMESTAMP, language VARCHAR, meta VARCHAR, spans {})",
        kSpansType)));
    ASSIGN_OR_RETURN(clean_, TakeOver(*database_, out_, old_, worked.units, state));
    if (std::find(clean_.begin(), clean_.end(), false) != clean_.end()) {
      RETURN_IF_ERROR(FillEarlier(worked));
      RETURN_IF_ERROR(MakeUnits(worked));
    }
    RETURN_IF_ERROR(CountRows(worked, state));
    RETURN_IF_ERROR(database_->Execute(
        "CREATE OR REPLACE TEMP TABLE rhodes_link AS SELECT DISTINCT id, unnest(parents) AS parent FROM rhodes_fused "
        "WHERE id IS NOT NULL"));
    if (worked.view.source.empty()) {  // else each record is its own only parent
      RETURN_IF_ERROR(CheckParents());
      RETURN_IF_ERROR(database_->Execute(
          "CREATE OR REPLACE TEMP TABLE rhodes_origins AS SELECT l.id, list_sort(list(DISTINCT o.source)) AS sources "
          "FROM rhodes_link l JOIN rhodes_origin o ON l.parent = o.id GROUP BY l.id"));
    }
    FuseReport::View counts;
    counts.name = worked.view.name;
    for (const FuseUnit& unit : state.units) {
      counts.rows += unit.rows;
      counts.empty += unit.empty;
    }
    report_.views.push_back(counts);
    next_.views.push_back(std::move(state));
    return absl::OkStatus();
  }

  absl::Status MakeUnits(WorkedView& worked) {
    const bool table = !worked.table.empty() && worked.plan.way == ViewPlan::Way::kWhole;
    if (table) RETURN_IF_ERROR(Fill(worked));
    for (size_t i = 0; i < worked.units.size(); ++i) {
      if (clean_[i]) continue;
      RETURN_IF_ERROR(context_.CheckCancelled());
      const ViewUnit& unit = worked.units[i];
      RETURN_IF_ERROR(Show(worked, unit));
      std::string from = table ? worked.table : fmt::format("({}\n)", RowsOf(worked, unit));
      if (!table && !worked.plan.parallel && worked.plan.way == ViewPlan::Way::kWhole) {
        // Only the view itself needs one thread: what follows does not see the order.
        RETURN_IF_ERROR(
            Evaluate(worked, fmt::format("CREATE OR REPLACE TEMP TABLE rhodes_selected AS {}", worked.sql)));
        from = "temp.rhodes_selected";
      }
      const std::string insert = fmt::format("INSERT INTO rhodes_fused SELECT {} AS unit, * FROM ({})", i,
                                             DocumentsSql(worked.view, worked.columns, from));
      RETURN_IF_ERROR(from.starts_with('(') ? Evaluate(worked, insert) : database_->Execute(insert));
    }
    return scope_->ShowAll();
  }

  absl::Status CountRows(const WorkedView& worked, FuseViewState& state) {
    ASSIGN_OR_RETURN(
        QueryResult counts,
        database_->Query("SELECT unit, count(*)::UBIGINT, (count(*) - count(id))::UBIGINT, count(*) FILTER "
                         "(id IS NOT NULL AND time IS NULL)::UBIGINT FROM rhodes_fused GROUP BY unit"));
    while (true) {
      ASSIGN_OR_RETURN(const bool more, counts.Next());
      if (!more) break;
      for (size_t row = 0; row < counts.row_count(); ++row) {
        const auto unit = static_cast<size_t>(counts.UInt64(0, row));
        if (worked.view.slices.has_value() && counts.UInt64(3, row) > 0) {
          return absl::InvalidArgumentError(
              fmt::format("{} rows have a text and no time; a view with slices gives every document its time",
                          counts.UInt64(3, row)));
        }
        if (clean_[unit]) continue;
        state.units[unit].rows = counts.UInt64(1, row);
        state.units[unit].empty = counts.UInt64(2, row);
      }
    }
    if (report_.views.empty()) return absl::OkStatus();
    ASSIGN_OR_RETURN(QueryResult suppressed,
                     database_->Query("SELECT unit, count(*)::UBIGINT FROM rhodes_fused f SEMI JOIN rhodes_made m ON "
                                      "m.id = f.id GROUP BY unit"));
    while (true) {
      ASSIGN_OR_RETURN(const bool more, suppressed.Next());
      if (!more) return absl::OkStatus();
      for (size_t row = 0; row < suppressed.row_count(); ++row) {
        state.units[static_cast<size_t>(suppressed.UInt64(0, row))].suppressed = suppressed.UInt64(1, row);
      }
    }
  }

  absl::Status CheckParents() {
    ASSIGN_OR_RETURN(
        const uint64_t orphans,
        database_->QueryCount("SELECT count(*) FROM rhodes_fused WHERE id IS NOT NULL AND len(parents) = 0"));
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
  absl::Status Write(const WorkedView& worked) {
    FuseReport::View& counts = report_.views.back();
    const bool one_source = !worked.view.source.empty();
    const std::string sources = one_source ? fmt::format("[{}] AS sources", SqlLiteral(worked.view.source)) : "sources";
    ASSIGN_OR_RETURN(QueryResult rows,
                     database_->Query(fmt::format(
                         "SELECT f.id, text, time, language, {}, parents, meta, spans, unit FROM rhodes_fused f {} {} "
                         "WHERE f.id IS NOT NULL ORDER BY f.id, time, language, meta, spans, unit",
                         sources, one_source ? "" : "JOIN rhodes_origins o ON o.id = f.id",
                         report_.views.size() == 1 ? "" : "ANTI JOIN rhodes_made m ON m.id = f.id")));
    ASSIGN_OR_RETURN(const FuseOutput::Written written, output_->Write(rows, clean_, context_));
    counts.documents = written.documents;
    counts.taken_over = written.taken_over;
    report_.text_bytes += written.text_bytes;
    next_.views.back().documents = counts.documents;
    counts.made = counts.documents - counts.taken_over;
    counts.duplicates = counts.rows - counts.empty - counts.documents;
    report_.documents += counts.documents;
    return absl::OkStatus();
  }

  // For the views that follow: which documents there are, which records are in one.
  absl::Status Remember() {
    return database_->Execute(
        "INSERT INTO rhodes_made SELECT id FROM rhodes_fused WHERE id IS NOT NULL; INSERT INTO rhodes_used SELECT "
        "DISTINCT parent FROM rhodes_link");
  }

  absl::Status CountUse() {
    ASSIGN_OR_RETURN(
        QueryResult counts,
        database_->Query(
            "SELECT source, count(*)::UBIGINT, count(u.id)::UBIGINT FROM (SELECT id, source FROM rhodes_origin) r "
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
  const std::string out_;
  int threads_ = 1;
  std::vector<std::string> sources_;
  std::vector<FuseView> views_;
  std::unique_ptr<Database> database_;
  std::optional<SourceScope> scope_;
  std::optional<ViewPlanner> planner_;
  std::vector<WorkedView> worked_;  // those that were made
  std::set<std::string> failed_;
  std::vector<bool> clean_;  // units of the view at hand that were taken over
  bool unchanged_ = false;
  FuseState old_;
  FuseState next_;
  std::optional<FuseOutput> output_;
  FuseReport report_;
};

}  // namespace

int FuseThreads(const RunContext& context) {
  const uint64_t memory = std::max<uint64_t>(context.memory_bytes / 4 * 3, kThreadMemory);
  return std::clamp(static_cast<int>(memory / kThreadMemory), 1, context.Threads());
}

absl::StatusOr<std::unique_ptr<Database>> OpenFuseDatabase(const FuseOptions& options, const RunContext& context) {
  Database::Options database_options;
  // The rest is for the parts on their way to the disk. A thread that sorts cannot do with less than kThreadMemory.
  database_options.memory_bytes = std::max<uint64_t>(context.memory_bytes / 4 * 3, kThreadMemory);
  database_options.threads = FuseThreads(context);
  database_options.temporary_directory = options.out + "/.fuse";
  ASSIGN_OR_RETURN(std::unique_ptr<Database> database, Database::Open(database_options));
  RETURN_IF_ERROR(CreateViews(*database, options.out));
  RETURN_IF_ERROR(RegisterDocumentId(*database));
  RETURN_IF_ERROR(RegisterFuseFunctions(*database));
  RETURN_IF_ERROR(RegisterCheckedSpans(*database));
  RETURN_IF_ERROR(RegisterRender(*database, options.templates));
  RETURN_IF_ERROR(RegisterOrbitFunctions(*database));
  RETURN_IF_ERROR(database->ConfineTo({options.out}));
  return database;
}

absl::StatusOr<ViewExplanation> ExplainView(const FuseOptions& options, const std::string& name, RunContext& context) {
  return Fuser(options, context).Explain(name);
}

absl::StatusOr<FuseReport> Fuse(const FuseOptions& options, RunContext& context) {
  return Fuser(options, context).Run();
}

}  // namespace rhodes
