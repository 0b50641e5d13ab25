#include "token/bpe_trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/text.h"
#include "token/bpe_merger.h"
#include "token/byte_alphabet.h"

namespace rhodes {
namespace {

using Clock = std::chrono::steady_clock;

constexpr uint32_t kBytes = 256;
constexpr uint32_t kLargestVocabulary = 262144;
// What an occurrence in the group of the smallest weight counts: weights are kept to about a thousandth, and counts
// stay whole numbers, which add up the same in any order.
constexpr double kWeightUnit = 1024;

uint32_t SpecialTokens(const BpeTrainerOptions& options) { return static_cast<uint32_t>(1 + options.special.size()); }

absl::Status CheckOptions(const BpeTrainerOptions& options) {
  std::set<std::string_view> special = {kEndOfTextToken};
  for (const std::string& token : options.special) {
    if (token.empty() || !special.insert(token).second) {
      return UsageError(
          fmt::format("tokenizer: the special token \"{}\" is {}", token, token.empty() ? "empty" : "there twice"));
    }
  }
  const uint32_t least = kBytes + SpecialTokens(options);
  if (options.vocabulary_size < least || options.vocabulary_size > kLargestVocabulary) {
    return UsageError(fmt::format(
        "tokenizer vocabulary of {} tokens: must be {} to {}; all are counted: 256 bytes, merges, and {}",
        options.vocabulary_size, least, kLargestVocabulary,
        options.special.empty() ? "the end-of-text token" : fmt::format("{} special tokens", SpecialTokens(options))));
  }
  return absl::OkStatus();
}

double SecondsSince(Clock::time_point begun) { return std::chrono::duration<double>(Clock::now() - begun).count(); }

// The same pair can be merged a second time after another merge has made its left token again. Only the later place
// counts when the file is read, so the earlier one is not written.
std::vector<Merge> WithoutRepeated(const std::vector<Merge>& merges) {
  std::unordered_map<uint64_t, size_t> last;
  for (size_t i = 0; i < merges.size(); ++i) last[PairCounts::Pair(merges[i].left, merges[i].right)] = i;
  std::vector<Merge> kept;
  for (size_t i = 0; i < merges.size(); ++i) {
    if (last[PairCounts::Pair(merges[i].left, merges[i].right)] == i) kept.push_back(merges[i]);
  }
  return kept;
}

absl::StatusOr<TokenizerSpec> SpecOf(const BpeMerger& merger, const BpeTrainerOptions& options) {
  TokenizerSpec spec;
  spec.tokens = merger.tokens();
  spec.merges = WithoutRepeated(merger.merges());
  spec.pattern = options.pattern;
  // As llama.cpp does for each of the patterns.
  spec.ignore_merges = options.pattern == Pattern::kLlama3;
  for (TokenId id = 0; id < spec.tokens.size(); ++id) {
    if (std::find(options.special.begin(), options.special.end(), spec.tokens[id]) == options.special.end()) continue;
    return UsageError(
        fmt::format("tokenizer: the special token \"{}\" is an ordinary word of the texts; choose one that "
                    "no text is likely to hold, such as <|name|>",
                    spec.tokens[id]));
  }
  const auto add_special = [&](std::string_view token) {
    spec.added.push_back({spec.tokens.size(), std::string(token), true, false, false});
    spec.tokens.Append(token);
  };
  add_special(kEndOfTextToken);
  for (const std::string& token : options.special) add_special(token);
  return spec;
}

// Whole numbers in the proportions of the weights; all 1 without weights.
absl::StatusOr<std::vector<int64_t>> UnitsOf(const BpeTrainerOptions& options, const CountedWords& counted) {
  std::vector<int64_t> units(counted.text_bytes.size(), 1);
  if (!options.weights) return units;
  ASSIGN_OR_RETURN(const std::vector<double> weights, options.weights(counted.names, counted.text_bytes));
  double least = INFINITY;
  double weighted_bytes = 0;
  for (const double weight : weights) least = std::min(least, weight);
  for (size_t group = 0; group < units.size(); ++group) {
    if (group >= weights.size() || !(weights[group] > 0) || !(weights[group] / least < 1e6)) {
      return UsageError(
          "tokenizer training: the weights must be positive numbers, none a million times greater than another");
    }
    units[group] = std::llround(weights[group] / least * kWeightUnit);
    weighted_bytes += static_cast<double>(units[group]) * static_cast<double>(counted.text_bytes[group]);
  }
  // No pair occurs more often than there are bytes.
  if (weighted_bytes > 4e18) {
    return UsageError("tokenizer training: with these weights the counts do not fit into 63 bits; choose smaller ones");
  }
  return units;
}

std::vector<int64_t> CountsOf(const CountedWords& counted, const std::vector<int64_t>& units) {
  std::vector<int64_t> counts(counted.words.size());
  for (size_t group = 0; group < counted.groups.size(); ++group) {
    for (const GroupCount& entry : counted.groups[group]) {
      counts[entry.word] += static_cast<int64_t>(entry.count) * units[group];
    }
  }
  return counts;
}

// Characters of a word (bytes that begin one in UTF-8) and how many of them no end of a token cuts.
std::pair<uint64_t, uint64_t> CharactersOf(std::span<const TokenId> tokens, const TokenBytesTable& bytes) {
  uint64_t characters = 0;
  uint64_t cut = 0;
  bool is_cut = false;  // the last character
  for (const TokenId token : tokens) {
    const std::string_view text = bytes[token];
    if (characters > 0 && !is_cut && IsUtf8Continuation(text[0])) {
      ++cut;
      is_cut = true;
    }
    for (const char byte : text) {
      if (IsUtf8Continuation(byte)) continue;
      ++characters;
      is_cut = false;
    }
  }
  return {characters, characters - cut};
}

std::vector<GroupUse> UsesOf(const CountedWords& counted, const std::vector<int64_t>& units, uint64_t unit,
                             const std::vector<uint32_t>& word_bytes, const BpeMerger& merger) {
  std::vector<GroupUse> uses(counted.groups.size());
  for (size_t group = 0; group < uses.size(); ++group) {
    GroupUse& use = uses[group];
    use.name = counted.names[group];
    use.texts = counted.texts[group];
    use.bytes = counted.text_bytes[group];
    use.weight = static_cast<double>(units[group]) / static_cast<double>(unit);
    use.seen.resize(merger.tokens().size());
    for (const GroupCount& entry : counted.groups[group]) {
      const std::span<const TokenId> tokens = merger.Word(entry.word);
      const auto [characters, whole] = CharactersOf(tokens, merger.tokens());
      use.words += entry.count;
      use.word_bytes += entry.count * word_bytes[entry.word];
      use.tokens += entry.count * tokens.size();
      use.whole_words += tokens.size() == 1 ? entry.count : 0;
      use.characters += entry.count * characters;
      use.whole_characters += entry.count * whole;
      for (const TokenId token : tokens) use.seen[token] = true;
    }
  }
  return uses;
}

}  // namespace

absl::StatusOr<TokenizerSpec> TrainBpeOnWords(const std::vector<WordCount>& words, const BpeTrainerOptions& options,
                                              RunContext& context) {
  RETURN_IF_ERROR(CheckOptions(options));
  std::vector<int64_t> counts;
  counts.reserve(words.size());
  for (const WordCount& word : words) counts.push_back(static_cast<int64_t>(word.count));
  BpeMerger merger(words, counts, options.min_frequency);
  RETURN_IF_ERROR(merger.Run(options.vocabulary_size - SpecialTokens(options), context));
  return SpecOf(merger, options);
}

absl::StatusOr<BpeTraining> TrainBpe(const BpeTrainerOptions& options, const TextReader& next, RunContext& context) {
  RETURN_IF_ERROR(CheckOptions(options));
  const Clock::time_point begun = Clock::now();
  BpeTraining training;
  WordCounter counter({options.pattern, context.memory_bytes, options.folder, options.key, options.save_seconds});
  ASSIGN_OR_RETURN(CountedWords counted, counter.Count(next, context));
  for (const uint64_t bytes : counted.text_bytes) training.text_bytes += bytes;
  training.words = counted.words.size();
  training.words_forgotten = counted.words_forgotten;
  training.counting_seconds = SecondsSince(begun);

  const Clock::time_point merging = Clock::now();
  ASSIGN_OR_RETURN(const std::vector<int64_t> units, UnitsOf(options, counted));
  const auto unit = static_cast<uint64_t>(options.weights ? kWeightUnit : 1);
  BpeMerger merger(counted.words, CountsOf(counted, units), options.min_frequency * unit);
  std::vector<uint32_t> word_bytes;
  for (const WordCount& word : counted.words) word_bytes.push_back(static_cast<uint32_t>(word.word.size()));
  // The merger has bytes of its own.
  std::vector<WordCount>().swap(counted.words);
  counted.bytes.clear();
  RETURN_IF_ERROR(merger.Run(options.vocabulary_size - SpecialTokens(options), context));
  ASSIGN_OR_RETURN(training.spec, SpecOf(merger, options));
  training.groups = UsesOf(counted, units, unit, word_bytes, merger);
  training.merging_seconds = SecondsSince(merging);
  RETURN_IF_ERROR(options.key.empty() ? absl::OkStatus() : counter.Remove());
  return training;
}

}  // namespace rhodes
