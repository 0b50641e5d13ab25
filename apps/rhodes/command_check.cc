// rhodes check: whether everything in an output folder is what its manifests say.
#include <fmt/format.h>

#include <memory>

#include "command.h"
#include "project/check.h"

namespace rhodes {
namespace {

struct Flags {
  std::string out;
  bool repair = false;
};

CommandBody Setup(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  app.add_option("OUT", flags->out, "the output folder, or a folder of shards")->required();
  app.add_flag("--repair", flags->repair,
               "make manifests again from parts, finish erasures, mark damaged stages for `rhodes run`");
  return [flags](const CommonFlags& common, RunContext& context) -> absl::Status {
    ASSIGN_OR_RETURN(const CheckReport report,
                     flags->repair ? RepairOut(flags->out, context) : CheckOut(flags->out, context));
    if (common.json) {
      PrintJson(ToJson(report));
    } else {
      fmt::print("{}", FormatCheck(report));
    }
    return report.ok() ? absl::OkStatus()
                       : RejectedError(fmt::format("check: {} problems in {}", report.problems.size(), flags->out));
  };
}

const CommandRegistration kRegistration({"check", "verify every checksum, count and lineage pointer of a folder",
                                         "  rhodes check out\n"
                                         "  rhodes check out --json\n"
                                         "  rhodes check out --repair\n",
                                         95, &Setup});

}  // namespace
}  // namespace rhodes
