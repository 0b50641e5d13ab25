// rhodes count: how many documents, bytes, characters, words and tokens files hold, by source and language.
#include <fmt/format.h>

#include <map>
#include <memory>

#include "command.h"
#include "token/count_tokens.h"

namespace rhodes {
namespace {

struct Flags {
  CountTokensOptions options;
  std::string format = "auto";
};

void PrintRow(const std::string& name, const TextCounts& counts) {
  const auto ratio = [](uint64_t part, uint64_t whole) {
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
  };
  fmt::print("{:<24} {:>10} {:>14} {:>14} {:>12} {:>12} {:>6.2f} {:>8.2f}\n", name, counts.documents, counts.bytes,
             counts.characters, counts.words, counts.tokens, ratio(counts.bytes, counts.tokens),
             ratio(counts.tokens, counts.words));
}

void PrintTable(const char* what, const std::map<std::string, TextCounts>& rows) {
  fmt::print("{:<24} {:>10} {:>14} {:>14} {:>12} {:>12} {:>6} {:>8}\n", what, "documents", "bytes", "characters",
             "words", "tokens", "B/tok", "tok/word");
  for (const auto& [name, counts] : rows) PrintRow(name, counts);
}

CommandBody Setup(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  CountTokensOptions& options = flags->options;
  app.add_option("IN", options.input.paths,
                 "documents: .jsonl, .txt (plain or .gz, .zst, .bz2, .xz) and .parquet files, folders of them, pipes; "
                 "none or -: standard input");
  app.add_option("--tokenizer", options.tokenizer, "tokenizer.json, or a tiktoken rank file")->required();
  app.add_option("--pattern", options.pattern, "as for encode: what cuts the words of a rank file");
  app.add_option("--format", flags->format,
                 "what inputs other than Parquet are: jsonl, text (a document a file), lines (a document a line), auto "
                 "(by name and first line)")
      ->capture_default_str();
  app.add_flag("--allow-special", options.allow_special, "special tokens written in a text become those tokens");
  return [flags](const CommonFlags& common, RunContext& context) -> absl::Status {
    ASSIGN_OR_RETURN(flags->options.input.format, TextFormatFromName(flags->format));
    ASSIGN_OR_RETURN(const CountTokensReport report, CountTokens(flags->options, context));
    if (common.json) {
      PrintJson(ToJson(report));
      return absl::OkStatus();
    }
    PrintTable("source", report.by_source);
    fmt::print("\n");
    PrintTable("language", report.by_language);
    PrintRow("all", report.all);
    return absl::OkStatus();
  };
}

const CommandRegistration kRegistration({"count", "count documents, words and tokens by source and language",
                                         "  rhodes count --tokenizer tokenizer.json out/corpus\n"
                                         "  rhodes count --tokenizer o200k_base.tiktoken book.txt news.jsonl.zst\n"
                                         "  zcat web.jsonl.gz | rhodes count --tokenizer tokenizer.json --json\n"
                                         "  rhodes count --tokenizer tokenizer.json --format lines < lines.txt\n",
                                         112, &Setup});

}  // namespace
}  // namespace rhodes
