// rhodes manual: the man page and shell completion, as `make install` installs them.
#include "command.h"
#include "manual.h"

namespace rhodes {
namespace {

CommandBody Setup(CLI::App& app) {
  auto format = std::make_shared<std::string>("man");
  app.add_option("format", *format, "man or bash")->check(CLI::IsMember({"man", "bash"}))->capture_default_str();
  return [format](const CommonFlags&, RunContext&) -> absl::Status {
    return WriteOutput(*format == "man" ? ManPage() : BashCompletion());
  };
}

const CommandRegistration kRegistration({"manual", "print the man page or the shell completion",
                                         "  rhodes manual | man -l -\n"
                                         "  rhodes manual bash > /etc/bash_completion.d/rhodes\n",
                                         900, &Setup});

}  // namespace
}  // namespace rhodes
