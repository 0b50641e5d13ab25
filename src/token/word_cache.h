// Remembers the tokens of words: most words of a text are among a few thousand.
#ifndef RHODES_TOKEN_WORD_CACHE_H_
#define RHODES_TOKEN_WORD_CACHE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "token/tokenizer.h"

namespace rhodes {

// Words of up to 15 bytes, in a table that grows from 1 MiB, which stays in the second-level cache, to at most 32 MiB
// as more different words come; then new ones take the places of old ones. Not thread-safe.
//
// A place is a cache line of two entries; when it is full, the next ones are looked at. Without those, one word in four
// of a text with 450,000 different ones lost its place to others again and again.
class WordCache {
 public:
  // The word's bytes, zero after them, and its length in the last byte.
  struct Key {
    uint64_t low;
    uint64_t high;
    bool operator==(const Key& other) const { return ((low ^ other.low) | (high ^ other.high)) == 0; }
  };
  static constexpr size_t kInline = 3;
  struct alignas(32) Entry {
    Key key;               // zero: free; no word has length 0
    TokenId ids[kInline];  // of more tokens: ids[0] is where they begin in `more`
    uint32_t count;
  };
  static constexpr size_t kMostBytes = 15;

  WordCache() { Allocate(kFewest); }

  static bool Fits(std::string_view word) { return word.size() <= kMostBytes; }
  // `word`, after whose beginning 16 bytes can be read.
  static Key MakeKey(const char* word, size_t size) {
    Key key;
    std::memcpy(&key, word, sizeof(key));
    key.low &= kMasks[size].low;
    key.high = (key.high & kMasks[size].high) | uint64_t{size} << 56;
    return key;
  }
  static Key MakeKey(std::string_view word) {
    char bytes[16] = {};
    std::memcpy(bytes, word.data(), word.size());
    return MakeKey(bytes, word.size());
  }

  size_t PlaceOf(const Key& key) const {
    const uint64_t mixed = key.low * 0x9E3779B97F4A7C15 + key.high * 0xD6E8FEB86659FD93;
    return static_cast<size_t>(mixed >> shift_) * 2;
  }
  void Prefetch(size_t place) const { __builtin_prefetch(entries_.get() + place); }
  // Null when the word is not here. What is found moves to the front, where the next search finds it at once.
  const Entry* Find(const Key& key, size_t place) {
    Entry* const entry = entries_.get() + place;
    if (entry[0].key == key) [[likely]]
      return entry;
    if (entry[1].count == 0) return nullptr;
    if (!(entry[1].key == key)) return FindBehind(key, place);
    std::swap(entry[0], entry[1]);
    return entry;
  }
  // Of an entry of more than kInline tokens, a multiple of 4 ids of which can be read.
  const TokenId* More(const Entry& entry) const { return more_.data() + entry.ids[0]; }

  // Places are another after Grow(), and entries move.
  void Insert(const Key& key, const TokenId* ids, size_t count) {
    Entry entry = {key, {0, 0, 0}, static_cast<uint32_t>(count)};
    if (count <= kInline) {
      std::memcpy(entry.ids, ids, count * sizeof(TokenId));
    } else {
      if (more_.size() + count > kMore) Clear();
      entry.ids[0] = static_cast<TokenId>(more_.size());
      more_.insert(more_.end(), ids, ids + count);
      more_.resize((more_.size() + 3) / 4 * 4);
    }
    ++inserted_;
    Put(entry);
  }
  // To be called now and then, while no entry and no place is in use.
  void Grow();

 private:
  static constexpr size_t kFewest = size_t{1} << 15;
  static constexpr size_t kMost = size_t{1} << 20;
  static constexpr size_t kPlaces = 4;              // that a word may have
  static constexpr size_t kMore = size_t{1} << 22;  // ids of words of more than kInline tokens
  struct Free {
    size_t size;
    void operator()(Entry* entries) const;
  };

  // Of words of each length. From a table: a choice between words of more and of less than 8 bytes is one that no
  // processor foresees.
  static constexpr std::array<Key, kMostBytes + 1> MakeMasks() {
    std::array<Key, kMostBytes + 1> masks = {};
    for (size_t size = 0; size <= kMostBytes; ++size) {
      masks[size].low = size >= 8 ? ~uint64_t{0} : (uint64_t{1} << (8 * size)) - 1;
      masks[size].high = size <= 8 ? 0 : (uint64_t{1} << (8 * (size - 8))) - 1;
    }
    return masks;
  }
  static const std::array<Key, kMostBytes + 1> kMasks;

  void Allocate(size_t size);
  const Entry* FindBehind(const Key& key, size_t place);
  void Put(const Entry& entry);
  void Clear();

  std::unique_ptr<Entry[], Free> entries_{nullptr, Free{0}};
  size_t size_ = 0;
  int shift_ = 0;
  size_t inserted_ = 0;  // since the size was last changed
  std::vector<TokenId> more_;
};

inline constexpr std::array<WordCache::Key, WordCache::kMostBytes + 1> WordCache::kMasks = WordCache::MakeMasks();

// Words of 16 to 255 bytes: long ones, and most of scripts whose letters take two bytes or three. Up to 24 MiB. Not
// thread-safe.
class LongWordCache {
 public:
  static constexpr size_t kMostBytes = 255;

  static bool Fits(std::string_view word) { return word.size() <= kMostBytes; }
  // The word's ids, valid until the next Insert(); empty: it is not here.
  struct Found {
    const TokenId* ids;
    size_t count;
  };
  Found Find(std::string_view word, uint64_t hash) const;
  void Insert(std::string_view word, uint64_t hash, const TokenId* ids, size_t count);

 private:
  static constexpr size_t kFewest = size_t{1} << 12;
  static constexpr size_t kMost = size_t{1} << 19;
  static constexpr size_t kMostStored = size_t{1} << 24;  // bytes of words and ids
  struct Entry {
    uint32_t tag = 0;  // the upper half of the hash
    uint32_t place = 0;
    uint16_t size = 0;  // 0: free
    uint16_t count = 0;
  };

  size_t PlaceOf(uint32_t tag) const { return static_cast<size_t>(uint64_t{tag} * entries_.size() >> 32) & ~size_t{1}; }
  void Put(const Entry& entry);
  void Grow();

  std::vector<Entry> entries_ = std::vector<Entry>(kFewest);
  size_t inserted_ = 0;
  std::vector<char> stored_;  // each word's ids, then its bytes, up to a multiple of 4
};

}  // namespace rhodes

#endif  // RHODES_TOKEN_WORD_CACHE_H_
