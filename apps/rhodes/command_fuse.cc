// rhodes fuse: documents out of records.
#include <fmt/format.h>

#include "base/file.h"
#include "command.h"
#include "fuse/explain.h"
#include "fuse/fuse.h"
#include "project/fuse_settings.h"
#include "project/project_file.h"

namespace rhodes {
namespace {

struct Flags {
  std::string out;  // the argument or --out
  std::string project;
  std::string explain;
  bool whole = false;
  std::vector<std::string> views;
  std::vector<std::string> sql_files;
  std::vector<std::string> sources;
};

absl::Status AddViews(const Flags& flags, FuseOptions& options) {
  for (const std::string& text : flags.views) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      return UsageError(fmt::format("--view {}: write it as NAME=SELECT ...", text));
    }
    FuseView view;
    view.name = text.substr(0, equals);
    view.sql = text.substr(equals + 1);
    view.file = "--view";
    options.views.push_back(view);
  }
  for (const std::string& path : flags.sql_files) {
    FuseView view;
    ASSIGN_OR_RETURN(view.sql, ReadFile(path));
    view.name = path.substr(path.rfind('/') + 1);
    view.file = path;
    options.views.push_back(view);
  }
  for (const std::string& source : flags.sources) {
    FuseView view;
    view.name = source;
    view.source = source;
    view.rest = true;
    options.views.push_back(view);
  }
  return absl::OkStatus();
}

absl::StatusOr<FuseOptions> OptionsOf(const Flags& flags) {
  FuseOptions options;
  options.out = flags.out;
  options.keep_going = true;
  options.incremental = !flags.whole;
  options.anomalies = AnomaliesUntilNow();
  if (!flags.project.empty()) {
    if (!flags.views.empty() || !flags.sql_files.empty() || !flags.sources.empty()) {
      return UsageError("--project has views of its own: leave --view, --sql-file and --source out");
    }
    ASSIGN_OR_RETURN(const ProjectFile project, LoadProjectFile(flags.project, false));
    options.views = project.views;
    options.templates = project.templates;
    if (options.out.empty()) options.out = project.out;
  }
  if (options.out.empty()) return UsageError("name the folder that holds the records: rhodes fuse OUT");
  RETURN_IF_ERROR(AddViews(flags, options));
  options.settings = FuseSettingsOf(options.views, options.templates);
  return options;
}

void PrintReport(const FuseReport& report) {
  fmt::print("{:<24} {:>10} {:>10} {:>10} {:>10} {:>8} {:>10}\n", "view", "rows", "documents", "made", "taken over",
             "empty", "duplicates");
  for (const FuseReport::View& view : report.views) {
    fmt::print("{:<24} {:>10} {:>10} {:>10} {:>10} {:>8} {:>10}\n", view.name, view.rows, view.documents, view.made,
               view.taken_over, view.empty, view.duplicates);
  }
  for (const FuseReport::Failed& view : report.failed) fmt::print("{:<24} {:>10}\n", view.name, "failed");
  fmt::print("{} documents from {} of {} records in {:.1f} s\n", report.documents, report.used, report.records,
             report.seconds);
}

CommandBody Setup(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  app.add_option("OUT,--out", flags->out, "the folder that holds the records, and gets the documents");
  app.add_option("--project", flags->project, "the views and templates of this project file");
  app.add_option("--explain", flags->explain, "VIEW: print how this view would be made, and make nothing");
  app.add_flag("--whole", flags->whole, "make every document anew, those whose records did not change too");
  app.add_option("--view", flags->views, "NAME=SQL: a SELECT that yields text and parents (again for more)");
  app.add_option("--sql-file", flags->sql_files, "a file that holds such a SELECT");
  app.add_option("--source", flags->sources, "each record of this source that no view used becomes a document");
  return [flags](const CommonFlags& common, RunContext& context) -> absl::Status {
    ASSIGN_OR_RETURN(const FuseOptions options, OptionsOf(*flags));
    if (!flags->explain.empty()) {
      ASSIGN_OR_RETURN(const ViewExplanation explanation, ExplainView(options, flags->explain, context));
      if (common.json) {
        PrintJson(ToJson(explanation));
      } else {
        fmt::print("{}", ToText(explanation));
      }
      return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(const FuseReport report, Fuse(options, context));
    if (common.json) {
      PrintJson(ToRunJson(report));
    } else {
      PrintReport(report);
    }
    return StatusOf(report);
  };
}

const CommandRegistration kRegistration(
    {"fuse", "make documents out of records with SQL",
     "  rhodes fuse out                                        every record a document of its own\n"
     "  rhodes fuse out --project rhodes.toml                  the project's views and templates\n"
     "  rhodes fuse out --project rhodes.toml --explain drops  how the view \"drops\" would be made\n"
     "  rhodes fuse --out out --view \"posts=SELECT text, [id] AS parents FROM posts WHERE language = 'ar'\"\n"
     "  rhodes fuse --out out --sql-file joined.sql --source handbook --json\n",
     20, &Setup});

}  // namespace
}  // namespace rhodes
