// Byte pair encoding of one word: the vocabulary's tokens as bytes, the merges by rank.
#ifndef RHODES_TOKEN_BPE_MODEL_H_
#define RHODES_TOKEN_BPE_MODEL_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "token/tokenizer.h"

namespace rhodes {

// One merge: `left` and `right` next to each other become `result`. The earlier in the list, the sooner it is applied.
struct Merge {
  TokenId left;
  TokenId right;
  TokenId result;
};

// The tokens' bytes, one after the other.
class TokenBytesTable {
 public:
  void Append(std::string_view bytes);
  std::string_view operator[](TokenId id) const {
    return std::string_view(bytes_).substr(begins_[id], begins_[id + 1] - begins_[id]);
  }
  uint32_t size() const { return static_cast<uint32_t>(begins_.size() - 1); }

 private:
  std::string bytes_;
  std::vector<uint64_t> begins_ = {0};
};

// From a pair of tokens to its rank and result: open addressing, at most half full.
class MergeTable {
 public:
  struct Entry {
    uint64_t pair;
    uint32_t rank;
    TokenId result;
  };
  static constexpr uint32_t kNoRank = 0xFFFFFFFF;

  MergeTable() : MergeTable(std::vector<Merge>()) {}
  // The rank of a merge is its place in `merges`, or the id of its result if `rank_is_result`; of two with one pair the
  // later one counts.
  explicit MergeTable(const std::vector<Merge>& merges, bool rank_is_result = false);
  // rank == kNoRank: no merge of this pair.
  Entry Find(TokenId left, TokenId right) const {
    const uint64_t pair = uint64_t{left} << 32 | right;
    for (size_t slot = Hash(pair);; ++slot) {
      const Entry& entry = entries_[slot & mask_];
      if (entry.pair == pair || entry.pair == kEmpty) return entry;
    }
  }
  // The rank alone, kNoRank for most of the pairs that are asked for: these are seldom looked up in the table.
  uint32_t FindRank(TokenId left, TokenId right) const {
    const uint64_t pair = uint64_t{left} << 32 | right;
    const size_t bit = static_cast<size_t>(pair * kMultiplier >> seen_shift_);
    if ((seen_[bit / 64] >> bit % 64 & 1) == 0) return kNoRank;
    return Find(left, right).rank;
  }

 private:
  static constexpr uint64_t kEmpty = ~uint64_t{0};
  static constexpr uint64_t kMultiplier = 0x9E3779B97F4A7C15;
  size_t Hash(uint64_t pair) const { return static_cast<size_t>(pair * kMultiplier >> shift_); }

  std::vector<Entry> entries_;
  size_t mask_;
  int shift_;
  // A bit for each pair that is in the table, and for one in sixteen that is not: small enough for the second-level
  // cache, which the table is not.
  std::vector<uint64_t> seen_;
  int seen_shift_;
};

// Immutable once made; thread-safe for distinct `Scratch`.
class BpeModel {
 public:
  struct Scratch {
    std::vector<TokenId> units;
    std::vector<uint32_t> ranks;
    std::vector<uint32_t> next;
    std::vector<uint32_t> previous;
    std::vector<uint64_t> heap;
  };

  // `byte_ids`: the token of each byte. `whole_words`: a word that is itself one of `whole_word_ids` becomes that token
  // without looking at merges ("ignore_merges").
  BpeModel(TokenBytesTable tokens, const std::array<TokenId, 256>& byte_ids, MergeTable merges,
           const std::vector<TokenId>& whole_word_ids);

  // Appends the ids of `word`, which is not empty: the merge of lowest rank first, the leftmost of several of one rank.
  // Cost: O(n log n) in the word's length, for all inputs.
  void EncodeWord(std::string_view word, Scratch& scratch, std::vector<TokenId>& out) const;
  // The same of the word whose tokens before any merge are scratch.units.
  void EncodeUnits(Scratch& scratch, std::vector<TokenId>& out) const;
  const TokenBytesTable& tokens() const { return tokens_; }

 private:
  bool FindWhole(std::string_view word, TokenId& id) const;
  // `ranks`: of each token and the one behind it.
  void MergeShort(TokenId* ids, uint32_t* ranks, size_t count, std::vector<TokenId>& out) const;
  void EncodeLong(TokenId* ids, size_t count, Scratch& scratch, std::vector<TokenId>& out) const;

  TokenBytesTable tokens_;
  std::array<TokenId, 256> byte_ids_;
  MergeTable merges_;
  std::vector<uint32_t> byte_ranks_;   // of the pair of two bytes, by first · 256 + second
  std::vector<uint32_t> whole_words_;  // open addressing over ids + 1; 0: empty
};

}  // namespace rhodes

#endif  // RHODES_TOKEN_BPE_MODEL_H_
