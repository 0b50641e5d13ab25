// rhodes world: a simulated world in its sources' own formats, with the truth beside it.
#include <fmt/format.h>

#include <memory>

#include "command.h"
#include "world/score.h"
#include "world/world.h"

namespace rhodes {
namespace {

struct Flags {
  WorldSettings settings;
  std::string score;
  std::string truth;
  std::string view = "event";
};

absl::Status Score(const Flags& flags, const CommonFlags& common, RunContext& context) {
  if (flags.truth.empty()) return UsageError("world: --score needs --truth DIR/truth.jsonl");
  ASSIGN_OR_RETURN(const FusionScore score, ScoreFusion(flags.score, flags.truth, flags.view, context));
  if (common.json) {
    PrintJson(ToJson(score));
  } else {
    fmt::print("{}", FormatScore(score));
  }
  if (score.Sound()) return absl::OkStatus();
  return RejectedError(fmt::format("world: {} does not hold what the world wrote: see the sources above", flags.score));
}

absl::Status Make(const Flags& flags, const CommonFlags& common, RunContext& context) {
  if (flags.settings.directory.empty()) return UsageError("world: --out DIR or --score OUT is needed");
  ASSIGN_OR_RETURN(const WorldReport report, MakeWorld(flags.settings, context));
  if (common.json) {
    PrintJson(ToJson(report));
    return absl::OkStatus();
  }
  fmt::print("{} events, {} witnesses of them, {} bytes\n", report.events, report.witnesses, report.bytes);
  for (const auto& [name, counts] : report.sources) {
    fmt::print("  {:<11} {:>9} records, {} duplicates, {} corrupted, {} taken back\n", name, counts.unique,
               counts.duplicates, counts.corrupted, counts.taken_back);
  }
  return absl::OkStatus();
}

CommandBody Setup(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  app.add_option("--seed", flags->settings.seed, "of everything that is drawn")->capture_default_str();
  app.add_option("--size", flags->settings.dishes, "dishes; as many vehicles, five times as many people")
      ->capture_default_str();
  app.add_option("--hours", flags->settings.hours, "how long the world is watched")->capture_default_str();
  app.add_option("--noise", flags->settings.noise, "0: none; 1: as in life; scales all that goes wrong")
      ->capture_default_str();
  CLI::Option* const out = app.add_option("--out", flags->settings.directory, "the directory to be made");
  CLI::Option* const score = app.add_option("--score", flags->score,
                                            "instead: an output folder whose fused documents are compared with --truth")
                                 ->excludes(out);
  app.add_option("--truth", flags->truth, "the truth.jsonl of the world that OUT was made from")->needs(score);
  app.add_option("--view", flags->view, "the view whose documents are events")->needs(score)->capture_default_str();
  return [flags](const CommonFlags& common, RunContext& context) -> absl::Status {
    return flags->score.empty() ? Make(*flags, common, context) : Score(*flags, common, context);
  };
}

const CommandRegistration kRegistration({"world", "make a simulated world whose truth is known",
                                         "  rhodes world --seed 7 --size 40 --hours 72 --out world\n"
                                         "  rhodes world --seed 7 --size 8 --hours 24 --noise 2 --out world --json\n"
                                         "  rhodes world --score out --truth world/truth.jsonl\n",
                                         115, &Setup});

}  // namespace
}  // namespace rhodes
