// rhodes fuse: documents out of records.
#include <fmt/format.h>

#include "base/file.h"
#include "command.h"
#include "fuse/fuse.h"

namespace rhodes {
namespace {

struct Flags {
  std::string out;
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

CommandBody Setup(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  app.add_option("--out", flags->out, "the folder that holds the records, and gets the documents")->required();
  app.add_option("--view", flags->views, "NAME=SQL: a SELECT that yields text and parents (again for more)");
  app.add_option("--sql-file", flags->sql_files, "a file that holds such a SELECT");
  app.add_option("--source", flags->sources, "each record of this source that no view used becomes a document");
  return [flags](const CommonFlags& common, RunContext& context) -> absl::Status {
    FuseOptions options;
    options.out = flags->out;
    RETURN_IF_ERROR(AddViews(*flags, options));
    ASSIGN_OR_RETURN(const FuseReport report, Fuse(options, context));
    if (common.json) {
      Json json = ToJson(report);
      json["seconds"] = report.seconds;
      PrintJson(json);
      return absl::OkStatus();
    }
    fmt::print("{:<24} {:>10} {:>10} {:>8} {:>10}\n", "view", "rows", "documents", "empty", "duplicates");
    for (const FuseReport::View& view : report.views) {
      fmt::print("{:<24} {:>10} {:>10} {:>8} {:>10}\n", view.name, view.rows, view.documents, view.empty,
                 view.duplicates);
    }
    fmt::print("{} documents from {} of {} records in {:.1f} s\n", report.documents, report.used, report.records,
               report.seconds);
    return absl::OkStatus();
  };
}

const CommandRegistration kRegistration(
    {"fuse", "make documents out of records with SQL",
     "  rhodes fuse --out out                                  every record a document of its own\n"
     "  rhodes fuse --out out --view \"posts=SELECT text, [id] AS parents FROM posts WHERE language = 'ar'\"\n"
     "  rhodes fuse --out out --sql-file joined.sql --source handbook --json\n",
     20, &Setup});

}  // namespace
}  // namespace rhodes
