// rhodes tokenize --train: texts in, tokenizer.json out, and how well it fits each source and language.
#include "command_tokenize_train.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <map>

#include "base/file.h"
#include "token/train_tokenizer.h"

namespace rhodes {
namespace {

double Percent(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : 100 * static_cast<double>(part) / static_cast<double>(whole);
}
double Ratio(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

void PrintUse(const std::string& name, const TextUse& use, uint32_t vocabulary_size) {
  fmt::print("{:<24} {:>10} {:>14} {:>6.2f} {:>8.2f} {:>11.1f}% {:>10.1f}% {:>10.1f}% {:>8.2f}\n", name, use.documents,
             use.bytes, Ratio(use.word_bytes, use.tokens), Ratio(use.tokens, use.words),
             Percent(use.whole_words, use.words), Percent(use.whole_characters, use.characters),
             Percent(use.vocabulary, vocabulary_size), use.weight);
}

void PrintUses(const char* what, const std::map<std::string, TextUse>& uses, uint32_t vocabulary_size) {
  fmt::print("{:<24} {:>10} {:>14} {:>6} {:>8} {:>12} {:>11} {:>11} {:>8}\n", what, "documents", "bytes", "B/tok",
             "tok/word", "whole words", "whole char", "vocab used", "weight");
  for (const auto& [name, use] : uses) PrintUse(name, use, vocabulary_size);
}

void Print(const TokenizerTraining& training, const std::string& out) {
  PrintUses("source", training.by_source, training.vocabulary_size);
  fmt::print("\n");
  PrintUses("language", training.by_language, training.vocabulary_size);
  PrintUse("all", training.all, training.vocabulary_size);
  fmt::print("\n{}: {} tokens, {} merges, from {} different words; counting {:.1f} s, merging {:.1f} s\n", out,
             training.vocabulary_size, training.merges, training.different_words, training.counting_seconds,
             training.merging_seconds);
  if (training.words_forgotten > 0) {
    fmt::print("{} rare words were left out to stay within --memory\n", training.words_forgotten);
  }
}

}  // namespace

void AddTrainTokenizerFlags(CLI::App& app, TrainTokenizerFlags& flags) {
  app.add_flag(
      "--train", flags.on,
      "train a tokenizer only: --out is the file tokenizer.json that is written; IN may also be .txt files and "
      "pipes, none or - is standard input");
  app.add_option(
         "--weight", flags.weights,
         "training: how much sources and languages count, so that small ones are not starved; by default each by "
         "its size. language=equal: all alike; language=alpha:0.3: its share to the power of 0.3 (mT5, XLM-R); "
         "language=temperature:5: to the power of 1/5; language:ar=3: what is in Arabic counts three times; the "
         "same with source. May be given several times")
      ->allow_extra_args(false);
  app.add_option("--special", flags.special,
                 "--train: a special token besides <|endoftext|>, such as '<|user|>'; may be given several times")
      ->allow_extra_args(false);
  app.add_option("--min-frequency", flags.min_frequency, "--train: pairs that occur less often are not merged")
      ->check(CLI::Range(1, 1'000'000'000))
      ->capture_default_str();
  app.add_option("--format", flags.format,
                 "what inputs other than Parquet are: jsonl, text (a document a file), lines (a document a "
                 "line), auto (by name and first line)")
      ->capture_default_str();
  app.add_option(
         "--save-every", flags.save_seconds,
         "--train: seconds after which counts are kept in OUT.training, so that a training that was killed goes "
         "on when it is started again")
      ->check(CLI::Range(0.0, 86400.0))
      ->capture_default_str();
}

absl::StatusOr<TrainingWeights> WeightsOf(const TrainTokenizerFlags& flags) {
  TrainingWeights weights;
  for (const std::string& weight : flags.weights) RETURN_IF_ERROR(AddWeight(weight, weights));
  return weights;
}

absl::Status RunTrainTokenizer(const TrainTokenizerFlags& flags, const TokenizeOptions& options,
                               const CommonFlags& common, RunContext& context) {
  TrainTokenizerOptions training;
  training.input.paths = options.inputs;
  ASSIGN_OR_RETURN(training.input.format, TextFormatFromName(flags.format));
  training.vocabulary_size = options.vocabulary_size;
  training.pattern = options.pattern;
  training.special = flags.special;
  training.min_frequency = flags.min_frequency;
  training.weights = options.weights;
  training.state = options.out + ".training";
  training.save_seconds = flags.save_seconds;

  std::error_code error;
  const std::filesystem::path out(options.out);
  if (std::filesystem::is_directory(out, error)) {
    return UsageError(fmt::format("tokenize --train: --out {} is a folder; name the file, such as {}", options.out,
                                  (out / "tokenizer.json").string()));
  }
  if (out.has_parent_path()) RETURN_IF_ERROR(CreateDirectories(out.parent_path().string()));
  const absl::StatusOr<TokenizerTraining> result = TrainTokenizer(training, context);
  if (!result.ok()) rmdir(training.state.c_str());  // only when no counts are kept in it
  RETURN_IF_ERROR(result.status());
  const TokenizerTraining& trained = *result;
  RETURN_IF_ERROR(WriteFileAtomically(options.out, trained.tokenizer_json));
  if (common.json) {
    Json json = ToJson(trained);
    json["tokenizer"] = options.out;
    PrintJson(json);
  } else {
    Print(trained, options.out);
  }
  return absl::OkStatus();
}

}  // namespace rhodes
