// Remembers the tokens of short words: most words of a text are among a few thousand.
#ifndef RHODES_TOKEN_WORD_CACHE_H_
#define RHODES_TOKEN_WORD_CACHE_H_

#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "token/tokenizer.h"

namespace rhodes {

// One place for each hash; a new word takes the place of the old. 1 MiB: it stays in the second-level cache. Not
// thread-safe.
class WordCache {
 public:
  // The word's bytes, zero after them, and its length in the last byte.
  struct Key {
    uint64_t low;
    uint64_t high;
  };

  WordCache() : entries_(kEntries) {}

  static bool Fits(std::string_view word) { return word.size() < 16; }
  // `text_end`: where the text ends that `word` lies in, so that 16 bytes can be read at once before it.
  static Key MakeKey(std::string_view word, const char* text_end) {
    Key key = {0, 0};
    if (text_end - word.data() >= 16) {
      std::memcpy(&key, word.data(), 16);
      const size_t bits = word.size() * 8;
      if (bits < 64) {
        key.low &= (uint64_t{1} << bits) - 1;
        key.high = 0;
      } else {
        key.high &= (uint64_t{1} << (bits - 64)) - 1;
      }
    } else {
      std::memcpy(&key, word.data(), word.size());
    }
    key.high |= uint64_t{word.size()} << 56;
    return key;
  }

  // Appends the word's tokens to `out`; false when it is not here.
  bool Append(const Key& key, std::vector<TokenId>& out) const {
    const Entry& entry = entries_[Slot(key)];
    if (entry.key.low != key.low || entry.key.high != key.high) return false;
    if (entry.count == 1) {
      out.push_back(entry.ids[0]);
    } else if (entry.count <= kInline) {
      out.insert(out.end(), entry.ids, entry.ids + entry.count);
    } else {
      const TokenId* ids = more_.data() + entry.ids[0];
      out.insert(out.end(), ids, ids + entry.count);
    }
    return true;
  }

  void Insert(const Key& key, const TokenId* ids, size_t count) {
    Entry entry = {key, {0, 0, 0}, static_cast<uint32_t>(count)};
    if (count <= kInline) {
      std::memcpy(entry.ids, ids, count * sizeof(TokenId));
    } else {
      if (more_.size() + count > kMore) Clear();
      entry.ids[0] = static_cast<TokenId>(more_.size());
      more_.insert(more_.end(), ids, ids + count);
    }
    entries_[Slot(key)] = entry;
  }

 private:
  static constexpr size_t kEntries = 1 << 15;
  static constexpr size_t kInline = 3;
  static constexpr size_t kMore = 1 << 18;  // ids of words of more than kInline tokens

  struct Entry {
    Key key;               // zero: free; no word has length 0
    TokenId ids[kInline];  // of more tokens: ids[0] is where they begin in more_
    uint32_t count;
  };

  static size_t Slot(const Key& key) {
    const uint64_t mixed = (key.low ^ (key.high * 0x9E3779B97F4A7C15)) * 0xD6E8FEB86659FD93;
    return static_cast<size_t>(mixed >> 49);
  }
  void Clear() {
    entries_.assign(kEntries, Entry());
    more_.clear();
  }

  std::vector<Entry> entries_;
  std::vector<TokenId> more_;
};

}  // namespace rhodes

#endif  // RHODES_TOKEN_WORD_CACHE_H_
