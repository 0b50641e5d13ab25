#include "command.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <iostream>

#include "absl/strings/cord.h"

namespace rhodes {
namespace {
constexpr char kReaderGone[] = "rhodes/reader-gone";

std::vector<Command>& Commands() {
  static std::vector<Command> commands;
  return commands;
}

// stdio remembers that a write failed, not why: with `error` 0 the pipe is asked, and else a full disk is the cause
// that the next write would name.
absl::Status OutputError(int error) {
  pollfd output{STDOUT_FILENO, POLLOUT, 0};
  const bool gone = error == EPIPE || (::poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0);
  if (gone) {
    absl::Status status = absl::CancelledError("the reader of standard output is gone");
    status.SetPayload(kReaderGone, absl::Cord());
    return status;
  }
  return ErrnoError(error != 0 ? error : EIO, "write", "standard output");
}
}  // namespace

CommandRegistration::CommandRegistration(Command command) {
  std::vector<Command>& commands = Commands();
  commands.insert(std::upper_bound(commands.begin(), commands.end(), command,
                                   [](const Command& a, const Command& b) { return a.order < b.order; }),
                  command);
}

const std::vector<Command>& RegisteredCommands() { return Commands(); }

bool ReaderGone(const absl::Status& status) { return status.GetPayload(kReaderGone).has_value(); }

absl::Status WriteOutput(std::string_view bytes) {
  errno = 0;
  const bool good = std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size();
  return good ? absl::OkStatus() : OutputError(errno);
}

absl::Status FinishOutput() {
  errno = 0;
  // std::cout first: while it is not synchronised with stdio it has a buffer of its own.
  const bool good = static_cast<bool>(std::cout.flush()) && std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  return good ? absl::OkStatus() : OutputError(errno);
}

void PrintJson(const Json& json) {
  WriteOutput(DumpJson(json) + "\n").IgnoreError();  // FinishOutput at the end will say so
  std::fflush(stdout);
}

}  // namespace rhodes
