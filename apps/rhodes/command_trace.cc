// rhodes trace: where a text stands in what a model was trained on.
#include <fmt/format.h>

#include <iostream>
#include <iterator>

#include "base/file.h"
#include "command.h"
#include "project/out_lock.h"
#include "trace/build.h"
#include "trace/trace.h"

namespace rhodes {
namespace {

struct Flags {
  std::string out;
  std::string text;
  bool build = false;
  TraceOptions options;
};

absl::Status Build(const Flags& flags, const CommonFlags& common, RunContext& context) {
  TraceBuildOptions options;
  options.out = flags.out;
  if (!PathExists(flags.out)) return absl::NotFoundError("trace: there is no folder " + flags.out);
  ASSIGN_OR_RETURN(const OutLock lock, OutLock::Acquire(flags.out));
  ASSIGN_OR_RETURN(const TraceBuildReport report, BuildTraceIndex(options, context));
  if (common.json) {
    Json json = ToJson(report);
    json["seconds"] = report.seconds;
    PrintJson(json);
  } else {
    fmt::print("{} tokens of {} documents indexed in {:.1f} s, {} bytes\n", report.tokens, report.documents,
               report.seconds, report.bytes);
  }
  return absl::OkStatus();
}

void PrintTrace(const Trace& trace) {
  if (trace.spans.empty()) fmt::print("no span of the {} tokens stands in the training text\n", trace.tokens);
  for (const TracedSpan& span : trace.spans) {
    fmt::print("\"{}\"\n  {} tokens, {} times:", span.text, span.token_end - span.token_begin, span.count);
    for (const auto& [source, count] : span.by_source) fmt::print(" {} {}", source, count);
    fmt::print("\n");
    for (const TracedDocument& document : span.documents) {
      fmt::print("  document {} ({})\n", document.id, document.source);
      for (const RecordOrigin& record : document.records) {
        fmt::print("    record {} {}:{}-{}\n", record.id, record.origin.file, record.origin.begin, record.origin.end);
      }
    }
  }
}

CommandBody Setup(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  app.add_option("--out", flags->out, "the folder of a run: its shards, tokenizer, records and index")->required();
  app.add_option("TEXT", flags->text, "the text to look for; - reads standard input");
  app.add_flag("--build", flags->build, "make the index over the training shards");
  app.add_option("--minimum", flags->options.minimum_tokens, "tokens of the shortest span shown")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--documents", flags->options.documents_per_span, "documents shown for a span")->capture_default_str();
  return [flags](const CommonFlags& common, RunContext& context) -> absl::Status {
    if (flags->build) return Build(*flags, common, context);
    if (flags->text.empty()) return UsageError("trace: give a TEXT to look for, or --build to make the index");
    std::string text = flags->text;
    if (text == "-") text.assign(std::istreambuf_iterator<char>(std::cin), {});
    ASSIGN_OR_RETURN(const std::unique_ptr<TraceIndex> index, TraceIndex::Open(flags->out));
    ASSIGN_OR_RETURN(const Trace trace, index->Find(text, flags->options));
    if (common.json) {
      PrintJson(ToJson(trace));
    } else {
      PrintTrace(trace);
    }
    return absl::OkStatus();
  };
}

const CommandRegistration kRegistration({"trace", "lead a text back to the documents and records it was learned from",
                                         "  rhodes trace --out out --build\n"
                                         "  rhodes trace --out out \"fast lossless compression algorithm\"\n"
                                         "  rhodes trace --out out - --json < answer.txt\n",
                                         60, &Setup});

}  // namespace
}  // namespace rhodes
