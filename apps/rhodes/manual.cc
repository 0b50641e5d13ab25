#include "manual.h"

#include <fmt/format.h>

#include "base/manifest.h"
#include "command.h"

namespace rhodes {
namespace {

// Text for roff: backslashes, and a dot or quote at the start of a line, are not commands.
std::string Roff(std::string_view text) {
  std::string escaped;
  bool line_start = true;
  for (const char c : text) {
    if (line_start && (c == '.' || c == '\'')) escaped += "\\&";
    if (c == '\\') {
      escaped += "\\e";
    } else if (c == '-') {
      escaped += "\\-";
    } else {
      escaped += c;
    }
    line_start = c == '\n';
  }
  return escaped;
}

struct DescribedCommand {
  const Command* command;
  std::unique_ptr<CLI::App> app;
};

std::vector<DescribedCommand> DescribeAll() {
  std::vector<DescribedCommand> described;
  for (const Command& command : RegisteredCommands()) {
    auto app = std::make_unique<CLI::App>(command.summary, command.name);
    command.setup(*app);
    described.push_back({&command, std::move(app)});
  }
  return described;
}

constexpr std::string_view kCommonOptions =
    ".TP\n\\fB\\-\\-json\\fR\nPrint one JSON object for scripts on standard output; no progress.\n"
    ".TP\n\\fB\\-\\-quiet\\fR\nNo progress.\n"
    ".TP\n\\fB\\-\\-threads\\fR \\fIN\\fR\nThreads; as many as the machine has by default.\n"
    ".TP\n\\fB\\-\\-memory\\fR \\fISIZE\\fR\nMemory that a stage may hold, such as 2GB.\n";

constexpr std::string_view kExitCodes =
    ".SH EXIT STATUS\n.TP\n0\nDone.\n.TP\n1\nThe work failed.\n.TP\n2\nThe command line or the project file is wrong.\n"
    ".TP\n3\nMore input was rejected than the stated tolerance, or a check found problems.\n.TP\n130\nInterrupted; "
    "state is kept and the same "
    "command "
    "goes on.\n";

}  // namespace

std::string ManPage() {
  std::string page = fmt::format(
      ".TH RHODES 1 \"\" \"rhodes {}\" \"User Commands\"\n.SH NAME\nrhodes \\- many sources, one database, a model, "
      "answers "
      "that lead back to their records\n.SH SYNOPSIS\n.B rhodes\n\\fICOMMAND\\fR [\\fIOPTION\\fR]...\n.SH DESCRIPTION\n"
      "Rhodes merges files of many kinds into one database, makes documents of them, chooses what a model reads, "
      "trains a "
      "tokenizer and a language model on it, and serves the model so that every span of an answer can be led back to "
      "the "
      "records it came from, with file and byte range.\n.SH COMMON OPTIONS\n{}",
      Version(), kCommonOptions);
  page += ".SH COMMANDS\n";
  for (const DescribedCommand& entry : DescribeAll()) {
    page += fmt::format(".SS rhodes {}\n{}.\n", entry.command->name, Roff(entry.command->summary));
    for (const CLI::Option* option : entry.app->get_options()) {
      if (option->get_name(false, true) == "-h,--help") continue;
      page += fmt::format(".TP\n\\fB{}\\fR", Roff(option->get_name(true, true)));
      if (option->get_type_size() != 0 && !option->get_positional())
        page += fmt::format(" \\fI{}\\fR", Roff(option->get_type_name()));
      page += "\n" + Roff(option->get_description()) + "\n";
    }
    page += fmt::format(".PP\nExamples:\n.nf\n{}\n.fi\n", Roff(entry.command->examples));
  }
  page += kExitCodes;
  page += ".SH SEE ALSO\nThe folder docs/ of the project: project-file.md, sources.md, formats.md, serving.md.\n";
  return page;
}

std::string BashCompletion() {
  std::string names;
  std::string cases;
  for (const DescribedCommand& entry : DescribeAll()) {
    names += (names.empty() ? "" : " ") + std::string(entry.command->name);
    std::string flags = "--help --json --quiet --threads --memory";
    for (const CLI::Option* option : entry.app->get_options()) {
      for (const std::string& name : option->get_lnames()) {
        if (name != "help") flags += " --" + name;
      }
    }
    cases += fmt::format("    {}) flags=\"{}\" ;;\n", entry.command->name, flags);
  }
  return fmt::format(
      "# bash completion for rhodes\n_rhodes() {{\n  local current=${{COMP_WORDS[COMP_CWORD]}} flags=\"\"\n"
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n    COMPREPLY=($(compgen -W \"{} --help --version\" -- \"$current\"))\n   "
      " return\n"
      "  fi\n  case ${{COMP_WORDS[1]}} in\n{}  esac\n  case $current in\n"
      "    -*) COMPREPLY=($(compgen -W \"$flags\" -- \"$current\")) ;;\n    *) COMPREPLY=($(compgen -f -- "
      "\"$current\")) ;;\n"
      "  esac\n}}\ncomplete -o filenames -F _rhodes rhodes\n",
      names, cases);
}

}  // namespace rhodes
