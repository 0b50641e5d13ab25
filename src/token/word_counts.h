// How often each word of a corpus occurs: what the trainer of a tokenizer learns from.
#ifndef RHODES_TOKEN_WORD_COUNTS_H_
#define RHODES_TOKEN_WORD_COUNTS_H_

#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "token/pattern.h"

namespace rhodes {

struct WordCount {
  std::string_view word;
  uint64_t count;
};

// A hash table from words to counts that keeps the words' bytes. Words of up to 15 bytes lie in its slots, so that
// finding one is two comparisons of eight bytes. Not thread-safe.
class WordTable {
 public:
  WordTable();
  void Add(std::string_view word, uint64_t count) { AddBefore(word, word.data() + word.size(), count); }
  // The count of `word`, 0 if it is new; the reference lives until the table changes.
  uint64_t& CountOf(std::string_view word);
  // Adds every word of `text`. Words of more than kLongestWord bytes are counted in pieces of that length: only text
  // without spaces or punctuation has them, and the trainer's work grows with their square.
  void AddText(Pattern pattern, std::string_view text);
  void Merge(const WordTable& other);
  void Clear();

  size_t size() const { return short_size_ + long_size_; }
  uint64_t memory_bytes() const {
    return short_.size() * sizeof(ShortSlot) + long_.size() * sizeof(LongSlot) + kept_bytes_;
  }
  // Calls `visit(word, count)` for each word, in no stated order; the views live until the table changes.
  template <typename Visit>
  void ForEach(Visit&& visit) const {
    for (const ShortSlot& slot : short_) {
      if (slot.high != 0) visit(std::string_view(reinterpret_cast<const char*>(&slot), slot.high >> 56), slot.count);
    }
    for (const LongSlot& slot : long_) {
      if (slot.word != nullptr) visit(std::string_view(slot.word, slot.length), slot.count);
    }
  }
  // The most frequent first, equally frequent ones in the order of their bytes; views as above.
  std::vector<WordCount> Sorted() const;

  static constexpr size_t kLongestWord = 4096;

 private:
  static constexpr size_t kInline = 15;

  // The word's bytes with zeros behind them, its length in the last byte: no word has length 0, so that 0 is free.
  struct ShortSlot {
    uint64_t low = 0;
    uint64_t high = 0;
    uint64_t count = 0;
  };
  struct LongSlot {
    uint64_t hash = 0;
    const char* word = nullptr;  // null: free
    uint64_t length = 0;
    uint64_t count = 0;
  };

  static uint64_t Hash(uint64_t low, uint64_t high) {
    uint64_t mixed = (low ^ high * 0x9E3779B97F4A7C15) * 0xD6E8FEB86659FD93;
    mixed ^= mixed >> 32;
    return mixed * 0xD6E8FEB86659FD93;
  }
  // `text_end`: up to where bytes can be read.
  void AddBefore(std::string_view word, const char* text_end, uint64_t count) {
    if (word.size() > kInline) {
      LongCount(word) += count;
      return;
    }
    uint64_t low;
    uint64_t high;
    MakeKey(word, text_end, low, high);
    ShortCount(low, high) += count;
  }
  static void MakeKey(std::string_view word, const char* text_end, uint64_t& low, uint64_t& high) {
    uint64_t key[2] = {0, 0};
    if (text_end - word.data() >= 16) {
      std::memcpy(key, word.data(), 16);
      const size_t bits = word.size() * 8;
      if (bits < 64) {
        key[0] &= (uint64_t{1} << bits) - 1;
        key[1] = 0;
      } else {
        key[1] &= (uint64_t{1} << (bits - 64)) - 1;
      }
    } else {
      std::memcpy(key, word.data(), word.size());
    }
    low = key[0];
    high = key[1] | uint64_t{word.size()} << 56;
  }
  uint64_t& ShortCount(uint64_t low, uint64_t high) { return ShortCount(low, high, Hash(low, high)); }
  uint64_t& ShortCount(uint64_t low, uint64_t high, uint64_t hash) {
    const size_t mask = short_.size() - 1;
    for (size_t at = hash >> short_shift_;; ++at) {
      ShortSlot& slot = short_[at & mask];
      if (slot.low == low && slot.high == high) return slot.count;
      if (slot.high == 0) {
        if (2 * (short_size_ + 1) > short_.size()) {
          GrowShort();
          return ShortCount(low, high, hash);
        }
        ++short_size_;
        slot = {low, high, 0};
        return slot.count;
      }
    }
  }
  template <Pattern kPattern>
  void AddWords(std::string_view text);
  uint64_t& LongCount(std::string_view word);
  void GrowShort();
  void GrowLong();
  const char* Keep(std::string_view word);

  std::vector<ShortSlot> short_;
  int short_shift_;
  size_t short_size_ = 0;
  std::vector<LongSlot> long_;
  size_t long_size_ = 0;
  std::vector<std::unique_ptr<char[]>> blocks_;
  size_t block_left_ = 0;
  char* block_at_ = nullptr;
  uint64_t kept_bytes_ = 0;
};

}  // namespace rhodes

#endif  // RHODES_TOKEN_WORD_COUNTS_H_
