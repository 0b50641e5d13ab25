// rhodes compare: what merging was worth, as the last run measured it.
#include <fmt/format.h>

#include <memory>

#include "base/file.h"
#include "command.h"
#include "value/compare.h"

namespace rhodes {
namespace {

CommandBody Setup(CLI::App& app) {
  auto out = std::make_shared<std::string>();
  app.add_option("OUT", *out, "the folder of a run whose project has a table [compare]")->required();
  return [out](const CommonFlags& flags, RunContext&) -> absl::Status {
    const std::string path = *out + "/compare/report.json";
    if (!PathExists(path)) {
      return absl::NotFoundError(fmt::format(
          "{} is not there: put a table [compare] into the project file and run it (rhodes run FILE --until compare)",
          path));
    }
    ASSIGN_OR_RETURN(const Json report, ReadJsonFile(path));
    if (flags.json) {
      PrintJson(report);
    } else {
      fmt::print("{}", FormatComparison(report));
    }
    return absl::OkStatus();
  };
}

const CommandRegistration kRegistration({"compare", "show what merging is worth: models of each source, unfused, fused",
                                         "  rhodes run rhodes.toml --until compare\n"
                                         "  rhodes compare out\n"
                                         "  rhodes compare out --json\n",
                                         55, &Setup});

}  // namespace
}  // namespace rhodes
