// The merges of byte-level BPE training: what TrainBpeOnWords (token/bpe_trainer.h) is made of.
#ifndef RHODES_TOKEN_BPE_MERGER_H_
#define RHODES_TOKEN_BPE_MERGER_H_

#include <cstdint>
#include <queue>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/run_context.h"
#include "token/bpe_model.h"
#include "token/word_counts.h"

namespace rhodes {

// Neighbouring tokens and how often they occur. Open addressing; a pair stays where it is until the table grows.
class PairCounts {
 public:
  struct Slot {
    uint64_t pair = kFree;
    int64_t count = 0;
    uint32_t parked = kNone;  // BpeMerger's list of words while the count is too small to be queued
  };
  static constexpr uint32_t kNone = 0xFFFFFFFF;

  PairCounts() : slots_(size_t{1} << kFirstBits), shift_(64 - kFirstBits) {}
  static uint64_t Pair(TokenId left, TokenId right) { return uint64_t{left} << 32 | right; }
  // The slot of `pair`, with a count of 0 if it is new. Valid until the next call.
  Slot& Of(uint64_t pair) {
    if (2 * (size_ + 1) > slots_.size()) Grow();
    const size_t mask = slots_.size() - 1;
    for (size_t at = Hash(pair);; ++at) {
      Slot& slot = slots_[at & mask];
      if (slot.pair == pair) return slot;
      if (slot.pair == kFree) {
        slot.pair = pair;
        ++size_;
        return slot;
      }
    }
  }

 private:
  static constexpr uint64_t kFree = ~uint64_t{0};
  static constexpr int kFirstBits = 16;

  size_t Hash(uint64_t pair) const { return static_cast<size_t>(pair * 0x9E3779B97F4A7C15 >> shift_); }
  void Grow();

  std::vector<Slot> slots_;
  int shift_;
  size_t size_ = 0;
};

// One training. Not thread-safe.
//
// A merge of (l, r) into n changes the counts of pairs with the tokens before and after only: where p stands before,
// (p, l) loses what (p, n) wins, and likewise behind. So the changes are summed over all words by p (and by the token
// behind), in two arrays, and each pair is looked up once a merge instead of once a word.
class BpeMerger {
 public:
  // `counts`: of each word, instead of its own; 1 at least. Pairs below `min_frequency` are never merged.
  BpeMerger(const std::vector<WordCount>& words, const std::vector<int64_t>& counts, uint64_t min_frequency);

  // INVALID_ARGUMENT when the words' tokens and three numbers a word are 2^32 or more in all.
  absl::Status Check() const;
  // Merges until there are `most_tokens` tokens or no pair is frequent enough.
  absl::Status Run(uint32_t most_tokens, RunContext& context);

  const TokenBytesTable& tokens() const { return tokens_; }
  const std::vector<Merge>& merges() const { return merges_; }
  // The tokens of word `w` now.
  std::span<const TokenId> Word(size_t w) const { return {stream_.data() + words_[w] + kHeader, stream_[words_[w]]}; }

 private:
  // A pair waiting to be merged in some words. Its count may have gone down since it was queued.
  struct Candidate {
    int64_t count;
    uint64_t pair;
    uint32_t list;

    bool operator<(const Candidate& other) const {  // std::priority_queue's top is the greatest
      return count != other.count ? count < other.count : pair > other.pair;
    }
  };
  // What a merge does to the pairs with one token on one side: summed over the words, and in which of them.
  struct Side {
    std::vector<int64_t> sum;         // by token
    std::vector<uint32_t> words;      // by token: how many are noted; while they are listed, where the next goes
    std::vector<uint32_t> last_word;  // by token: the one that was noted last
    std::vector<TokenId> touched;
    std::vector<std::pair<TokenId, uint32_t>> noted;  // token and word, in the words' order

    void Resize(size_t tokens);
    void Add(TokenId token, int64_t count, uint32_t word);
  };
  static constexpr size_t kHeader = 3;  // numbers before a word's tokens: how many, and its count in two halves
  static constexpr uint32_t kNoWord = 0xFFFFFFFF;

  TokenId AddToken(std::string_view bytes);
  void CountAllPairs();
  bool MergeBest();
  void MergeInWord(uint32_t place, const Merge& merge);
  void Settle(const Merge& merge);
  // Lists the words of `side` and queues the pairs that `pair_of` makes of its tokens, but for the token `but`.
  template <typename PairOf>
  void Gain(Side& side, TokenId but, PairOf&& pair_of);
  void Queue(PairCounts::Slot& slot, uint32_t list);
  uint32_t MakeList(uint32_t size);

  const int64_t min_frequency_;
  TokenBytesTable tokens_;
  std::unordered_map<std::string, TokenId> ids_;
  std::vector<Merge> merges_;
  std::vector<uint32_t> stream_;  // each word: its number of tokens, its count, its tokens
  std::vector<uint32_t> words_;   // where each begins
  PairCounts pairs_;
  // Lists of places in stream_, one after another: how many, then the places. A list is named by where it begins.
  std::vector<uint32_t> places_;
  std::vector<uint32_t> new_lists_;  // of Gain()
  std::priority_queue<Candidate> queue_;
  Side before_;
  Side behind_;
  Side twice_;  // the pair (n, n), under the token n: it can come from both sides
};

}  // namespace rhodes

#endif  // RHODES_TOKEN_BPE_MERGER_H_
