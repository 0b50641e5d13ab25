// rhodes run: a project from files to a model that answers, and again only what changed.
#include <fmt/format.h>

#include <memory>

#include "command.h"
#include "project/follow_run.h"
#include "project/run.h"

namespace rhodes {
namespace {

struct Flags {
  RunOptions run;
  bool follow = false;
  FollowRunOptions streams;
};

void Print(const FollowRunReport& report) {
  fmt::print("{:<20} {:>12}\n", "source", "stored");
  for (const FollowReport::Source& source : report.followed.sources) {
    fmt::print("{:<20} {:>12}\n", source.name, source.counts.stored);
  }
  for (const CycleReport& cycle : report.cycles) fmt::print("{}\n", FormatCycle(cycle));
  fmt::print("history: {}/follow/history.jsonl\n", report.out);
}

absl::Status RunFollowing(const Flags& flags, const CommonFlags& common, RunContext& context) {
  if (!flags.run.until.empty()) return UsageError("run: --follow runs all stages; it does not go with --until");
  FollowRunOptions options = flags.streams;
  options.file = flags.run.file;
  options.quick = flags.run.quick;
  ASSIGN_OR_RETURN(const FollowRunReport report, FollowProject(options, context));
  if (common.json) {
    PrintJson(ToJson(report));
  } else {
    Print(report);
  }
  return absl::OkStatus();
}

CommandBody Setup(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  RunOptions& options = flags->run;
  app.add_option("FILE", options.file, "the project file, rhodes.toml")->required();
  app.add_flag("--quick", options.quick, "with the settings of [quick], in a folder of its own (OUT-quick)");
  app.add_option("--until", options.until,
                 "stop after this stage: prepare, ingest, fuse, curate, tokenize, train, compare, trace or ask");
  CLI::Option* follow = app.add_flag("--follow", flags->follow,
                                     "follow the sources that have follow = \"...\", and go on training the model on "
                                     "what comes in, until interrupted");
  app.add_option("--metrics", flags->streams.metrics_port, "port on 127.0.0.1 for Prometheus: /metrics")
      ->check(CLI::Range(1, 65535))
      ->needs(follow);
  app.add_option("--stop-after-idle", flags->streams.stop_after_idle,
                 "end well, after a last cycle, when nothing came in for this many seconds (default: never)")
      ->check(CLI::Range(0.0, 1e9))
      ->needs(follow);
  app.add_option("--cycles", flags->streams.cycles, "end well after so many cycles that trained (default: never)")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 40))
      ->needs(follow);
  return [flags](const CommonFlags& common, RunContext& context) -> absl::Status {
    if (flags->follow) return RunFollowing(*flags, common, context);
    ASSIGN_OR_RETURN(const RunReport report, RunProject(flags->run, context));
    if (common.json) {
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
     "  rhodes run rhodes.toml --json\n"
     "  rhodes run rhodes.toml --follow --metrics 9464\n",
     1, &Setup});

}  // namespace
}  // namespace rhodes
