// The command line: one file a subcommand. A file `command_<name>.cc` declares its flags and registers itself; main.cc
// knows none of them by name.
#ifndef RHODES_APPS_RHODES_COMMAND_H_
#define RHODES_APPS_RHODES_COMMAND_H_

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/run_context.h"

namespace rhodes {

// Flags that every subcommand has; filled by main before a command runs.
struct CommonFlags {
  bool json = false;   // one JSON object on standard output, progress off
  bool quiet = false;  // no progress
  int threads = 0;
  std::string memory = "2GB";
};

// Declares flags on `app` and returns the function that does the work once they are parsed.
using CommandBody = std::function<absl::Status(const CommonFlags& flags, RunContext& context)>;
using CommandSetup = CommandBody (*)(CLI::App& app);

struct Command {
  const char* name;
  const char* summary;
  const char* examples;  // shown under --help: complete commands, one a line, two spaces before each
  int order;             // place in `rhodes --help`
  CommandSetup setup;
};

// File-scope object in each command_<name>.cc.
class CommandRegistration {
 public:
  explicit CommandRegistration(Command command);
};

const std::vector<Command>& RegisteredCommands();  // sorted by order

// Prints to standard output: `json` on one line. An error of writing is kept, for FinishOutput.
void PrintJson(const Json& json);

// Whether `status` says that who read standard output went away (`| head`) and wants no more: no failure of ours.
bool ReaderGone(const absl::Status& status);

// Writes `bytes` to standard output, through stdio's buffer. Errors: ReaderGone, so that a command whose work is its
// output stops; those of ErrnoError.
absl::Status WriteOutput(std::string_view bytes);

// Writes what stdio and std::cout still hold; the first error of writing that any print met, also one that nobody
// looked at. Errors as above.
absl::Status FinishOutput();

}  // namespace rhodes

#endif  // RHODES_APPS_RHODES_COMMAND_H_
