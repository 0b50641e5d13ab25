// rhodes world: a simulated world in its sources' own formats, with the truth beside it.
#include <fmt/format.h>

#include <memory>

#include "command.h"
#include "world/world.h"

namespace rhodes {
namespace {

struct Flags {
  WorldSettings settings;
};

CommandBody Setup(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  app.add_option("--seed", flags->settings.seed, "of everything that is drawn")->capture_default_str();
  app.add_option("--size", flags->settings.dishes, "dishes; as many vehicles, five times as many people")
      ->capture_default_str();
  app.add_option("--hours", flags->settings.hours, "how long the world is watched")->capture_default_str();
  app.add_option("--noise", flags->settings.noise, "0: none; 1: as in life; scales all that goes wrong")
      ->capture_default_str();
  app.add_option("--out", flags->settings.directory, "the directory to be made")->required();
  return [flags](const CommonFlags& common, RunContext& context) -> absl::Status {
    ASSIGN_OR_RETURN(const WorldReport report, MakeWorld(flags->settings, context));
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
  };
}

const CommandRegistration kRegistration({"world", "make a simulated world whose truth is known",
                                         "  rhodes world --seed 7 --size 40 --hours 72 --out world\n"
                                         "  rhodes world --seed 7 --size 8 --hours 24 --noise 2 --out world --json\n",
                                         115, &Setup});

}  // namespace
}  // namespace rhodes
