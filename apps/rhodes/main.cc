// The program's entry: parses the command line, runs one command, turns its status into an exit code.
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "base/byte_size.h"
#include "base/manifest.h"
#include "base/text.h"
#include "command.h"
#include "terminal_progress.h"

namespace rhodes {
namespace {

std::atomic<bool> g_cancelled{false};

extern "C" void OnSignal(int signal) {
  if (g_cancelled.exchange(true)) {  // a second one: at once
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
}

struct Entry {
  CLI::App* app;
  CommandBody body;
};

void AddCommonFlags(CLI::App& app, CommonFlags& flags) {
  app.add_flag("--json", flags.json, "print one JSON object for scripts; no progress");
  app.add_flag("--quiet", flags.quiet, "no progress");
  app.add_option("--threads", flags.threads, "threads (default: as many as the machine has)")
      ->check(CLI::Range(0, 4096));
  app.add_option("--memory", flags.memory, "memory that a stage may hold, such as 2GB")->capture_default_str();
}

// To the parser "nan" and "inf" are numbers, "nan" within every range, and -1 is a large number without a sign.
absl::Status CheckNumbers(const CLI::App& command) {
  for (const CLI::Option* option : command.get_options()) {
    const std::string type = option->get_type_name();
    for (const std::string& value : option->results()) {
      const bool finite = type.rfind("FLOAT", 0) != 0 || std::isfinite(std::strtod(value.c_str(), nullptr));
      const bool negative = type.rfind("UINT", 0) == 0 && value.rfind('-', 0) == 0;
      if (finite && !negative) continue;
      return UsageError(option->get_name() + ": \"" + value + "\" is " +
                        (negative ? "below 0" : "not a number that can be used"));
    }
  }
  return absl::OkStatus();
}

// The parser says of a misspelt command that one is required.
absl::Status CheckCommand(int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return absl::OkStatus();
  std::vector<std::string> known;
  for (const Command& command : RegisteredCommands()) {
    if (std::string_view(argv[1]) == command.name) return absl::OkStatus();
    known.emplace_back(command.name);
  }
  const std::string nearest = Nearest(argv[1], known);
  return UsageError(fmt::format("there is no command \"{}\"{}; `rhodes --help` lists them", argv[1],
                                nearest.empty() ? "" : fmt::format("; did you mean \"{}\"?", nearest)));
}

int Run(int argc, char** argv) {
  CLI::App app("Rhodes: many sources, one database, a model, answers that lead back to their records.", "rhodes");
  app.set_version_flag("--version", std::string("rhodes ") + std::string(Version()));
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 done, 1 the work failed, 2 the command line or project file is wrong, 3 too much input was\n"
      "rejected or a check found problems, 130 interrupted (state kept). `rhodes COMMAND --help` shows examples.");
  CommonFlags flags;
  std::vector<Entry> entries;
  for (const Command& command : RegisteredCommands()) {
    CLI::App* sub = app.add_subcommand(command.name, command.summary);
    sub->footer(std::string("Examples:\n") + command.examples);
    entries.push_back({sub, command.setup(*sub)});
    AddCommonFlags(*sub, flags);
  }
  if (const absl::Status known = CheckCommand(argc, argv); !known.ok()) {
    std::fprintf(stderr, "rhodes: %s\n", Message(known).c_str());
    return static_cast<int>(ExitCodeOf(known));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) return app.exit(error);
    app.exit(error);
    return static_cast<int>(ExitCode::kUsage);
  }

  RunContext context;
  context.threads = flags.threads;
  context.cancelled = &g_cancelled;
  absl::Status status;
  if (absl::StatusOr<uint64_t> bytes = ParseByteSize(flags.memory); bytes.ok()) {
    context.memory_bytes = *bytes;
  } else {
    status = UsageError("--memory: " + Message(bytes.status()));
  }
  TerminalProgress terminal;
  if (!flags.json && !flags.quiet) context.progress = &terminal;
  // SIGPIPE would end the server when a client goes away; SIGXFSZ would hide "file too large" from the writer.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  std::signal(SIGINT, OnSignal);
  std::signal(SIGTERM, OnSignal);
  for (const Entry& entry : entries) {
    if (!entry.app->parsed()) continue;
    if (status.ok()) status = CheckNumbers(*entry.app);
    if (status.ok()) status = entry.body(flags, context);
  }
  terminal.End();
  if (const absl::Status written = FinishOutput(); status.ok()) status = written;
  if (ReaderGone(status)) return static_cast<int>(ExitCode::kDone);
  if (!status.ok()) std::fprintf(stderr, "rhodes: %s\n", Message(status).c_str());
  return static_cast<int>(ExitCodeOf(status));
}

}  // namespace
}  // namespace rhodes

int main(int argc, char** argv) {
  try {
    return rhodes::Run(argc, argv);
  } catch (const std::exception& error) {  // out of memory, or a library's exception that nobody expected
    if (rhodes::ReaderGone(rhodes::FinishOutput())) return static_cast<int>(rhodes::ExitCode::kDone);  // fmt::print's
    std::fprintf(stderr, "rhodes: %s\n", error.what());
    return static_cast<int>(rhodes::ExitCode::kFailed);
  }
}
