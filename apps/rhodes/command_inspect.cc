// rhodes inspect: what lies in an output folder, and where one document comes from.
#include <fmt/format.h>

#include <memory>

#include "command.h"
#include "project/inspect.h"

namespace rhodes {
namespace {

struct Flags {
  std::string out;
  std::string document;
};

CommandBody Setup(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  app.add_option("OUT", flags->out, "the output folder")->required();
  app.add_option("--document", flags->document, "id of a document, or how it begins: its text, fate and records");
  return [flags](const CommonFlags& common, RunContext& context) -> absl::Status {
    const bool one = !flags->document.empty();
    ASSIGN_OR_RETURN(const Json json,
                     one ? InspectDocument(flags->out, flags->document, context) : InspectOut(flags->out));
    if (common.json) {
      PrintJson(json);
    } else {
      fmt::print("{}", one ? FormatDocument(json) : FormatInspection(json));
    }
    return absl::OkStatus();
  };
}

const CommandRegistration kRegistration({"inspect", "what lies in an output folder, and where a document comes from",
                                         "  rhodes inspect examples/debian/out\n"
                                         "  rhodes inspect examples/debian/out --json\n"
                                         "  rhodes inspect examples/debian/out --document 3f9c2b1a\n",
                                         90, &Setup});

}  // namespace
}  // namespace rhodes
