// Byte pair encoding of one word: the vocabulary's tokens as bytes, the merges by rank.
#ifndef RHODES_TOKEN_BPE_MODEL_H_
#define RHODES_TOKEN_BPE_MODEL_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "token/rank_queue.h"
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

// From a pair of tokens to its rank and result: open addressing, up to two thirds full, a pair and its result in 8
// bytes. Few of its look-ups are in a cache, so its size is most of what an unknown word costs: a rank file of 200,000
// tokens has a million merges.
class MergeTable {
 public:
  struct Found {
    uint32_t rank;  // kNoRank: no merge of this pair
    TokenId result;
  };
  static constexpr uint32_t kNoRank = 0xFFFFFFFF;
  static constexpr TokenId kMostTokens = TokenId{1} << 21;

  MergeTable() : MergeTable(std::vector<Merge>()) {}
  // The rank of a merge is its place in `merges`, or the id of its result if `rank_is_result`; of two with one pair the
  // later one counts. All ids are below kMostTokens.
  explicit MergeTable(const std::vector<Merge>& merges, bool rank_is_result = false);

  Found Find(TokenId left, TokenId right) const {
    const uint64_t pair = Pair(left, right);
    const uint64_t hash = Hash(pair);
    const size_t bit = static_cast<size_t>(hash >> seen_shift_);
    if ((seen_[bit / 64] >> bit % 64 & 1) == 0) return {kNoRank, 0};
    const size_t slot = SlotOf(pair, hash);
    const uint64_t entry = entries_[slot];
    if (entry == kEmpty) return {kNoRank, 0};
    const TokenId result = static_cast<TokenId>(entry & (kMostTokens - 1));
    return {ranks_.empty() ? result : ranks_[slot], result};
  }

  // Ranks are below.
  uint32_t ranks_end() const { return ranks_end_; }

 private:
  static constexpr int kBits = 21;  // of an id
  static constexpr uint64_t kEmpty = ~uint64_t{0};

  static uint64_t Pair(TokenId left, TokenId right) { return uint64_t{left} << kBits | right; }
  static uint64_t Hash(uint64_t pair) { return (pair ^ pair >> 23) * 0x9E3779B97F4A7C15; }
  // Where `pair` is, or the free place where it would be.
  size_t SlotOf(uint64_t pair, uint64_t hash) const {
    size_t slot = static_cast<size_t>((hash >> 32) * entries_.size() >> 32);
    while (entries_[slot] >> kBits != pair && entries_[slot] != kEmpty) {
      if (++slot == entries_.size()) slot = 0;
    }
    return slot;
  }

  std::vector<uint64_t> entries_;  // left, right, result
  std::vector<uint32_t> ranks_;    // of entries_; empty: they are the results
  // A bit for each pair that is in the table, and for about one in twelve that is not: most pairs that are asked for
  // have no merge, and this is small enough for the second-level cache.
  std::vector<uint64_t> seen_;
  int seen_shift_;
  uint32_t ranks_end_ = 0;
};

// Immutable once made; thread-safe for distinct `Scratch`.
class BpeModel {
 public:
  struct Scratch {
    std::vector<TokenId> units;
    // Of a long word: a place's neighbours are anywhere in memory, so all that is known of it is in one piece.
    struct Place {
      TokenId id;
      uint32_t rank;  // of the merge with the one behind it
      uint32_t next;
      uint32_t previous;
    };
    std::vector<Place> places;
    RankQueue queue;
  };

  // `byte_ids`: the token of each byte. `whole_words`: a word that is itself one of `whole_word_ids` becomes that token
  // without looking at merges ("ignore_merges").
  BpeModel(TokenBytesTable tokens, const std::array<TokenId, 256>& byte_ids, MergeTable merges,
           const std::vector<TokenId>& whole_word_ids);

  // Appends the ids of `word`, which is not empty: the merge of lowest rank first, the leftmost of several of one rank.
  // Cost: at most the square of 64 bytes for a word of so many, else linear in its length.
  void EncodeWord(std::string_view word, Scratch& scratch, std::vector<TokenId>& out) const;
  // The same of the word whose tokens before any merge are scratch.units.
  void EncodeUnits(Scratch& scratch, std::vector<TokenId>& out) const;
  const TokenBytesTable& tokens() const { return tokens_; }

 private:
  bool FindWhole(std::string_view word, TokenId& id) const;
  // `pairs`: of each token and the one behind it.
  void MergeShort(TokenId* ids, MergeTable::Found* pairs, size_t count, std::vector<TokenId>& out) const;
  // The word is scratch.units.
  void EncodeLong(Scratch& scratch, std::vector<TokenId>& out) const;

  TokenBytesTable tokens_;
  std::array<TokenId, 256> byte_ids_;
  MergeTable merges_;
  std::vector<MergeTable::Found> byte_pairs_;  // by first · 256 + second
  struct WholeWord {
    uint32_t tag = 0;  // of the hash, so that few words are compared
    uint32_t id = 0;   // + 1; 0: free
  };
  std::vector<WholeWord> whole_words_;  // open addressing
};

}  // namespace rhodes

#endif  // RHODES_TOKEN_BPE_MODEL_H_
