// rhodes tokenize: a tokenizer and shards out of documents.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "command.h"
#include "command_tokenize_train.h"
#include "project/out_lock.h"
#include "token/pattern.h"
#include "token/tokenize.h"

namespace rhodes {
namespace {

absl::Status CheckFlags(const TokenizeOptions& options, bool train) {
  if (train && !(options.tokenizer.empty() && options.shards.empty())) {
    return UsageError("tokenize: --train only trains a tokenizer; it goes with neither --tokenizer nor --shards");
  }
  if (const absl::StatusOr<Pattern> pattern = PatternFromName(options.pattern); !pattern.ok()) {
    return UsageError("--pattern: " + Message(pattern.status()));
  }
  const bool piped = options.inputs.empty() || std::count(options.inputs.begin(), options.inputs.end(), "-") > 0;
  if (!train && options.tokenizer.empty() && piped) {
    return UsageError(options.inputs.empty()
                          ? "tokenize: IN is required (files or folders of documents)"
                          : "tokenize: standard input can be read only once: train on files, or give --tokenizer");
  }
  if (options.out.empty() && (train || options.tokenizer.empty() || options.shards.empty())) {
    return UsageError(train ? "tokenize --train: --out is required, the file tokenizer.json to write"
                            : "tokenize: --out is required (or --tokenizer and --shards)");
  }
  return absl::OkStatus();
}

double LineagePercent(const TokenizeReport& report) {
  return report.shard_bytes == 0
             ? 0
             : 100 * static_cast<double>(report.lineage_bytes) / static_cast<double>(report.shard_bytes);
}

CommandBody Setup(CLI::App& app) {
  auto options = std::make_shared<TokenizeOptions>();
  auto train = std::make_shared<TrainTokenizerFlags>();
  app.add_option("IN", options->inputs,
                 "documents: Parquet, JSON Lines or text files (.gz, .zst, .bz2, .xz), folders of them, pipes; - is "
                 "standard input");
  AddTrainTokenizerFlags(app, *train);
  app.add_option("--out", options->out, "the folder that gets tokenizer.json and shards/; with --train a file");
  app.add_option(
         "--vocab,--vocabulary", options->vocabulary_size,
         "tokens of the tokenizer that is trained, 257 to 262144: all are counted, the 256 bytes, the merges and "
         "the special tokens")
      ->capture_default_str();
  app.add_option("--pattern", options->pattern,
                 "how text is cut into words: gpt2, cl100k, o200k, llama3, qwen2 or grok2")
      ->capture_default_str();
  app.add_option("--tokenizer", options->tokenizer, "a tokenizer.json to use instead of training one");
  app.add_option("--validation", options->validation_share, "share of the documents that is held out")
      ->check(CLI::Range(0.0, 0.5))
      ->capture_default_str();
  app.add_option("--seed", options->seed, "of the order of documents")->capture_default_str();
  app.add_option("--shard-tokens", options->shard_tokens, "tokens of one shard, about")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 40))
      ->capture_default_str();
  app.add_option("--shards", options->shards,
                 "the folder that gets the shards instead of OUT/shards; with --tokenizer no --out is needed");
  auto format = std::make_shared<std::string>("megatron");
  app.add_option("--shard-format", *format, "megatron, ds (datatrove, nanotron), nanogpt, llmc or mds (MosaicML)")
      ->capture_default_str();
  auto mix = std::make_shared<std::vector<std::string>>();
  app.add_option("--mix", *mix,
                 "NAME=WEIGHT: a source's share of the training tokens, in proportion to the others'; *=WEIGHT: those "
                 "that are not named")
      ->allow_extra_args(false);
  app.add_option("--max-repeat", options->mix.max_repeat, "with --mix: no document is trained on more often")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--mix-tokens", options->mix.tokens, "with --mix: tokens to train on; 0: as many as the sources have")
      ->capture_default_str();
  return [options, train, format, mix](const CommonFlags& common, RunContext& context) -> absl::Status {
    ASSIGN_OR_RETURN(options->weights, WeightsOf(*train));
    RETURN_IF_ERROR(CheckFlags(*options, train->on));
    if (train->on && !mix->empty()) return UsageError("tokenize: --mix is of shards; with --train give --weight");
    if (!train->on && !train->special.empty()) return UsageError("tokenize: --special goes with --train");
    if (train->on) return RunTrainTokenizer(*train, *options, common, context);
    ASSIGN_OR_RETURN(options->format, TextFormatFromName(train->format));
    ASSIGN_OR_RETURN(options->shard_format, ShardFormatFromName(*format));
    ASSIGN_OR_RETURN(options->mix.weights, ParseMixWeights(*mix));
    std::optional<OutLock> lock;
    if (!options->out.empty()) {
      ASSIGN_OR_RETURN(OutLock held, OutLock::Acquire(options->out));
      lock.emplace(std::move(held));
    }
    ASSIGN_OR_RETURN(const TokenizeReport report, Tokenize(*options, context));
    if (common.json) {
      PrintJson(ToJson(report));
      return absl::OkStatus();
    }
    fmt::print("{:<32} {:>10} {:>14} {:>12} {:>6}\n", "source", "documents", "bytes", "tokens", "B/tok");
    for (const auto& [name, share] : report.by_source) {
      fmt::print("{:<32} {:>10} {:>14} {:>12} {:>6.2f}\n", name, share.documents, share.bytes, share.tokens,
                 static_cast<double>(share.bytes) / static_cast<double>(share.tokens));
    }
    fmt::print("{} tokens to train on, {} held out, vocabulary {}; lineage {:.2f} % of {} bytes of shards\n",
               report.train.tokens, report.validation.tokens, report.vocabulary_size, LineagePercent(report),
               report.shard_bytes);
    fmt::print("tokenizer {:.1f} s, encoding {:.1f} s, writing {:.1f} s\n", report.training_seconds,
               report.encoding_seconds, report.writing_seconds);
    return absl::OkStatus();
  };
}

const CommandRegistration kRegistration(
    {"tokenize", "train a tokenizer and write shards with lineage",
     "  rhodes tokenize --train books/ web.jsonl.zst --vocab 32768 --pattern gpt2 --out tokenizer.json\n"
     "  zcat news.gz | rhodes tokenize --train --vocab 8192 --out tokenizer.json\n"
     "  rhodes tokenize --train en.txt ar.txt --weight source=equal --out t.json\n"
     "  rhodes tokenize out/corpus --out out --vocab 8192 --weight language=alpha:0.3\n"
     "  rhodes tokenize a.jsonl.zst b.parquet --out out --pattern gpt2 --json\n"
     "  rhodes tokenize out/corpus --tokenizer other/tokenizer.json --out out\n"
     "  rhodes tokenize out/corpus --out out --mix news=2 --mix '*=1'\n"
     "  rhodes tokenize --tokenizer tokenizer.json en.jsonl ar.jsonl.zst --shards shards --shard-format ds\n"
     "  zcat news.gz | rhodes tokenize --tokenizer tokenizer.json - --shards shards --format lines\n",
     40, &Setup});

}  // namespace
}  // namespace rhodes
