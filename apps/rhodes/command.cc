#include "command.h"

#include <algorithm>
#include <cstdio>

namespace rhodes {
namespace {
std::vector<Command>& Commands() {
  static std::vector<Command> commands;
  return commands;
}
}  // namespace

CommandRegistration::CommandRegistration(Command command) {
  std::vector<Command>& commands = Commands();
  commands.insert(std::upper_bound(commands.begin(), commands.end(), command,
                                   [](const Command& a, const Command& b) { return a.order < b.order; }),
                  command);
}

const std::vector<Command>& RegisteredCommands() { return Commands(); }

void PrintJson(const Json& json) {
  const std::string line = DumpJson(json) + "\n";
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fflush(stdout);
}

}  // namespace rhodes
