// rhodes run: a project from files to a model that answers, and again only what changed.
#include <fmt/format.h>

#include <memory>

#include "command.h"
#include "project/run.h"

namespace rhodes {
namespace {

CommandBody Setup(CLI::App& app) {
  auto options = std::make_shared<RunOptions>();
  app.add_option("FILE", options->file, "the project file, rhodes.toml")->required();
  app.add_flag("--quick", options->quick, "with the settings of [quick], in a folder of its own (OUT-quick)");
  app.add_option("--until", options->until,
                 "stop after this stage: prepare, ingest, fuse, curate, tokenize, train, compare, trace or ask");
  return [options](const CommonFlags& flags, RunContext& context) -> absl::Status {
    ASSIGN_OR_RETURN(const RunReport report, RunProject(*options, context));
    if (flags.json) {
      PrintJson(ToJson(report));
    } else {
      fmt::print("{}", FormatReport(report));
    }
    return absl::OkStatus();
  };
}

const CommandRegistration kRegistration(
    {"run", "run a project: read, fuse, curate, tokenize, train, index, ask; only what changed",
     "  rhodes run examples/debian/rhodes.toml\n"
     "  rhodes run examples/debian/rhodes.toml --quick\n"
     "  rhodes run rhodes.toml --until curate\n"
     "  rhodes run rhodes.toml --json\n",
     1, &Setup});

}  // namespace
}  // namespace rhodes
