#include "token/bpe_trainer.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <optional>
#include <queue>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/parallel.h"
#include "token/byte_alphabet.h"

namespace rhodes {
namespace {

using Clock = std::chrono::steady_clock;

constexpr uint32_t kSmallestVocabulary = 257;
constexpr uint32_t kLargestVocabulary = 1 << 22;

// A pair waiting to be merged in some words. Its count may have gone down since it was queued.
struct Candidate {
  int64_t count;
  TokenId left;
  TokenId right;
  uint32_t places;  // which of Trainer::places_: the words that hold it

  bool operator<(const Candidate& other) const {  // std::priority_queue's top is the greatest
    if (count != other.count) return count < other.count;
    if (left != other.left) return left > other.left;
    return right > other.right;
  }
};

// Pairs numbered as they appear, with the count of each.
class PairTable {
 public:
  PairTable() : slots_(1 << 16, 0) {}

  uint32_t NumberOf(TokenId left, TokenId right) {
    const uint64_t pair = uint64_t{left} << 32 | right;
    const size_t mask = slots_.size() - 1;
    for (size_t at = Hash(pair);; ++at) {
      uint32_t& slot = slots_[at & mask];
      if (slot != 0) {
        if (pairs_[slot - 1] == pair) return slot - 1;
        continue;
      }
      pairs_.push_back(pair);
      counts_.push_back(0);
      pending_.push_back(kNone);
      slot = static_cast<uint32_t>(pairs_.size());
      if (pairs_.size() * 2 > slots_.size()) Grow();
      return static_cast<uint32_t>(pairs_.size() - 1);
    }
  }
  TokenId left(uint32_t number) const { return static_cast<TokenId>(pairs_[number] >> 32); }
  TokenId right(uint32_t number) const { return static_cast<TokenId>(pairs_[number]); }
  int64_t& count(uint32_t number) { return counts_[number]; }
  uint32_t& pending(uint32_t number) { return pending_[number]; }  // its list of places under way, or kNone

  static constexpr uint32_t kNone = 0xFFFFFFFF;

 private:
  static size_t Hash(uint64_t pair) { return static_cast<size_t>((pair * 0x9E3779B97F4A7C15) >> 24); }
  void Grow() {
    slots_.assign(slots_.size() * 2, 0);
    const size_t mask = slots_.size() - 1;
    for (size_t i = 0; i < pairs_.size(); ++i) {
      size_t at = Hash(pairs_[i]);
      while (slots_[at & mask] != 0) ++at;
      slots_[at & mask] = static_cast<uint32_t>(i + 1);
    }
  }

  std::vector<uint32_t> slots_;  // number + 1; 0: free
  std::vector<uint64_t> pairs_;
  std::vector<int64_t> counts_;
  std::vector<uint32_t> pending_;
};

class Trainer {
 public:
  Trainer(const std::vector<WordCount>& words, const BpeTrainerOptions& options) : options_(options) {
    std::array<TokenId, 256> byte_ids;
    for (const uint8_t byte : BytesInAlphabetOrder()) {
      byte_ids[byte] = spec_.tokens.size();
      AddToken(std::string(1, static_cast<char>(byte)));
    }
    size_t bytes = 0;
    for (const WordCount& word : words) bytes += word.word.size();
    symbols_.reserve(bytes);
    words_.reserve(words.size());
    for (const WordCount& word : words) {
      words_.push_back({symbols_.size(), static_cast<uint32_t>(word.word.size()), static_cast<int64_t>(word.count)});
      for (const char byte : word.word) symbols_.push_back(byte_ids[static_cast<uint8_t>(byte)]);
    }
  }

  absl::StatusOr<TokenizerSpec> Train(RunContext& context) {
    CountAllPairs();
    const uint32_t most = options_.vocabulary_size - 1;
    for (uint64_t round = 0; spec_.tokens.size() < most && MergeBest(); ++round) {
      if (round % 64 != 0) continue;
      RETURN_IF_ERROR(context.CheckCancelled());
    }
    DropRepeatedMerges();
    spec_.pattern = options_.pattern;
    // As llama.cpp does for each of the patterns.
    spec_.ignore_merges = options_.pattern == Pattern::kLlama3;
    spec_.added.push_back({spec_.tokens.size(), std::string(kEndOfTextToken), true, false, false});
    spec_.tokens.Append(kEndOfTextToken);
    return std::move(spec_);
  }

 private:
  struct Word {
    size_t begin;     // in symbols_
    uint32_t length;  // now, in tokens
    int64_t count;
  };

  // The id of `token`: of an earlier token with the same bytes when there is one.
  TokenId AddToken(const std::string& token) {
    const auto [found, is_new] = ids_.emplace(token, spec_.tokens.size());
    if (is_new) spec_.tokens.Append(token);
    return found->second;
  }

  void AddPlace(uint32_t pair, uint32_t word) {
    uint32_t& list = pairs_.pending(pair);
    if (list == PairTable::kNone) {
      list = static_cast<uint32_t>(places_.size());
      if (!free_lists_.empty()) {
        list = free_lists_.back();
        free_lists_.pop_back();
      } else {
        places_.emplace_back();
      }
      touched_.push_back(pair);
    }
    if (places_[list].empty() || places_[list].back() != word) places_[list].push_back(word);
  }

  void QueueTouched() {
    for (const uint32_t pair : touched_) {
      uint32_t& list = pairs_.pending(pair);
      if (pairs_.count(pair) > 0) {
        places_[list].shrink_to_fit();
        queue_.push({pairs_.count(pair), pairs_.left(pair), pairs_.right(pair), list});
      } else {
        FreePlaces(list);
      }
      list = PairTable::kNone;
    }
    touched_.clear();
  }

  void FreePlaces(uint32_t list) {
    std::vector<uint32_t>().swap(places_[list]);
    free_lists_.push_back(list);
  }

  void CountAllPairs() {
    for (uint32_t w = 0; w < words_.size(); ++w) {
      const Word& word = words_[w];
      for (uint32_t i = 0; i + 1 < word.length; ++i) {
        const uint32_t pair = pairs_.NumberOf(symbols_[word.begin + i], symbols_[word.begin + i + 1]);
        pairs_.count(pair) += word.count;
        AddPlace(pair, w);
      }
    }
    QueueTouched();
  }

  // False when no pair is left that is frequent enough.
  bool MergeBest() {
    while (!queue_.empty()) {
      Candidate best = queue_.top();
      queue_.pop();
      const int64_t count = pairs_.count(pairs_.NumberOf(best.left, best.right));
      if (best.count != count) {
        best.count = count;
        if (count > 0) {
          queue_.push(best);
        } else {
          FreePlaces(best.places);
        }
        continue;
      }
      if (static_cast<uint64_t>(count) < std::max<uint64_t>(options_.min_frequency, 1)) return false;
      Merge merge = {best.left, best.right, 0};
      merge.result = AddToken(std::string(spec_.tokens[best.left]) + std::string(spec_.tokens[best.right]));
      spec_.merges.push_back(merge);
      for (const uint32_t word : places_[best.places]) MergeInWord(word, merge);
      FreePlaces(best.places);
      QueueTouched();
      return true;
    }
    return false;
  }

  void Lose(TokenId left, TokenId right, int64_t count) { pairs_.count(pairs_.NumberOf(left, right)) -= count; }
  void Gain(TokenId left, TokenId right, int64_t count, uint32_t word) {
    const uint32_t pair = pairs_.NumberOf(left, right);
    pairs_.count(pair) += count;
    AddPlace(pair, word);
  }

  void MergeInWord(uint32_t w, const Merge& merge) {
    Word& word = words_[w];
    TokenId* const symbols = symbols_.data() + word.begin;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < word.length; ++kept) {
      if (i + 1 == word.length || symbols[i] != merge.left || symbols[i + 1] != merge.right) {
        symbols[kept] = symbols[i++];
        continue;
      }
      if (kept > 0) {
        Lose(symbols[kept - 1], merge.left, word.count);
        Gain(symbols[kept - 1], merge.result, word.count, w);
      }
      i += 2;
      if (i < word.length) {
        Lose(merge.right, symbols[i], word.count);
        Gain(merge.result, symbols[i], word.count, w);
      }
      symbols[kept] = merge.result;
    }
    word.length = kept;
  }

  // The same pair can be merged a second time after another merge has made its left token again. Only the later place
  // counts when the file is read, so the earlier one is not written.
  void DropRepeatedMerges() {
    std::unordered_map<uint64_t, size_t> last;
    for (size_t i = 0; i < spec_.merges.size(); ++i) {
      last[uint64_t{spec_.merges[i].left} << 32 | spec_.merges[i].right] = i;
    }
    if (last.size() == spec_.merges.size()) return;
    std::vector<Merge> kept;
    for (size_t i = 0; i < spec_.merges.size(); ++i) {
      if (last[uint64_t{spec_.merges[i].left} << 32 | spec_.merges[i].right] == i) kept.push_back(spec_.merges[i]);
    }
    spec_.merges = std::move(kept);
  }

  const BpeTrainerOptions& options_;
  TokenizerSpec spec_;
  std::unordered_map<std::string, TokenId> ids_;
  std::vector<Word> words_;
  std::vector<TokenId> symbols_;
  PairTable pairs_;
  std::vector<std::vector<uint32_t>> places_;  // numbers of words, ascending
  std::vector<uint32_t> free_lists_;           // places_ not in use
  std::vector<uint32_t> touched_;              // pairs with a list under way
  std::priority_queue<Candidate> queue_;
};

absl::Status CheckOptions(const BpeTrainerOptions& options) {
  if (options.vocabulary_size < kSmallestVocabulary || options.vocabulary_size > kLargestVocabulary) {
    return UsageError(fmt::format(
        "tokenizer vocabulary of {} tokens: must be {} to {} (256 bytes and the end-of-text token at least)",
        options.vocabulary_size, kSmallestVocabulary, kLargestVocabulary));
  }
  return absl::OkStatus();
}

double SecondsSince(Clock::time_point begun) { return std::chrono::duration<double>(Clock::now() - begun).count(); }

}  // namespace

absl::StatusOr<TokenizerSpec> TrainBpeOnWords(const std::vector<WordCount>& words, const BpeTrainerOptions& options,
                                              RunContext& context) {
  RETURN_IF_ERROR(CheckOptions(options));
  if (words.size() >= std::numeric_limits<uint32_t>::max()) {
    return absl::InvalidArgumentError("tokenizer training: more than 2^32 different words; lower the memory budget");
  }
  return Trainer(words, options).Train(context);
}

absl::StatusOr<BpeTraining> TrainBpe(const BpeTrainerOptions& options,
                                     const std::function<absl::StatusOr<bool>(std::vector<std::string>&)>& next,
                                     RunContext& context) {
  RETURN_IF_ERROR(CheckOptions(options));
  struct Counted {
    std::vector<std::string> texts;  // the table's words lie in them
    WordTable table;
  };
  const Clock::time_point begun = Clock::now();
  BpeTraining training;
  // The trainer's arrays take about as much again as the table, and twice that while they grow.
  WordCounter counter(context.memory_bytes / 6);
  const auto threads = static_cast<size_t>(context.Threads());
  const absl::Status counted = OrderedPipeline<std::vector<std::string>, Counted>(
      context.Threads(), 2 * threads,
      [&]() -> absl::StatusOr<std::optional<std::vector<std::string>>> {
        RETURN_IF_ERROR(context.CheckCancelled());
        std::vector<std::string> texts;
        ASSIGN_OR_RETURN(const bool more, next(texts));
        if (!more && texts.empty()) return std::optional<std::vector<std::string>>();
        return std::optional(std::move(texts));
      },
      [&](std::vector<std::string> texts) -> absl::StatusOr<Counted> {
        Counted batch = {std::move(texts), {}};
        for (const std::string& text : batch.texts) batch.table.AddText(options.pattern, text);
        return batch;
      },
      [&](Counted batch) -> absl::Status {
        for (const std::string& text : batch.texts) training.text_bytes += text.size();
        counter.Add(batch.table);
        return absl::OkStatus();
      });
  RETURN_IF_ERROR(counted);
  training.counting_seconds = SecondsSince(begun);
  const Clock::time_point merging = Clock::now();
  const std::vector<WordCount> words = counter.table().Sorted();
  training.words = words.size();
  training.words_forgotten = counter.forgotten();
  ASSIGN_OR_RETURN(training.spec, TrainBpeOnWords(words, options, context));
  training.merging_seconds = SecondsSince(merging);
  return training;
}

}  // namespace rhodes
