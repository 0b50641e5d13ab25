#include "curate/overlap_words.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "curate/overlap_words.cc"
#include <hwy/foreach_target.h>
// After foreach_target.h:
#include <hwy/highway.h>

#include "base/mask_bits-inl.h"

HWY_BEFORE_NAMESPACE();
namespace rhodes {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// For each block of 64 bytes two masks: bytes that are ASCII letters or digits; bytes that need a closer look, which
// are those beyond ASCII and the apostrophe.
void ClassifyBlocks(const uint8_t* text, size_t blocks, uint64_t* masks) {
  const hn::CappedTag<uint8_t, 64> d;
  const auto zero = hn::Set(d, uint8_t{'0'});
  const auto ten = hn::Set(d, uint8_t{10});
  const auto a = hn::Set(d, uint8_t{'a'});
  const auto letters = hn::Set(d, uint8_t{26});
  const auto small = hn::Set(d, uint8_t{0x20});
  const auto ascii = hn::Set(d, uint8_t{0x7F});
  const auto apostrophe = hn::Set(d, uint8_t{'\''});
  for (size_t block = 0; block < blocks; ++block) {
    uint64_t plain = 0;
    uint64_t special = 0;
    for (size_t at = 0; at < 64; at += hn::Lanes(d)) {
      const auto bytes = hn::LoadU(d, text + 64 * block + at);
      const auto is_plain =
          hn::Or(hn::Lt(hn::Sub(bytes, zero), ten), hn::Lt(hn::Sub(hn::Or(bytes, small), a), letters));
      const auto is_special = hn::Or(hn::Gt(bytes, ascii), hn::Eq(bytes, apostrophe));
      plain |= MaskBits(d, is_plain) << at;
      special |= MaskBits(d, is_special) << at;
    }
    masks[2 * block] = plain;
    masks[2 * block + 1] = special;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace rhodes
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include "base/text.h"
#include "curate/matching_text.h"
#include "curate/unicode_class.h"

namespace rhodes {
namespace {

HWY_EXPORT(ClassifyBlocks);

constexpr size_t kBlocks = 64;  // classified at a time
constexpr uint64_t kSeed = 0x9E3779B97F4A7C15;
constexpr uint64_t kFactor = 0xD6E8FEB86659FD93;  // odd

__extension__ typedef unsigned __int128 Wide;

// Both halves of the product: every bit of `x` reaches many of the result (as in wyhash).
uint64_t Fold(uint64_t x) {
  const Wide product = static_cast<Wide>(x) * kFactor;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// The hash of a word that comes a few bytes at a time: of its pieces of eight bytes, the last one filled up with zeros,
// which no word has.
class WordHash {
 public:
  // `size` bytes (at most 4), the first in the lowest bits of `bytes`; the others are 0.
  void Append(uint32_t bytes, unsigned size) {
    piece_ |= uint64_t{bytes} << (8 * fill_);
    fill_ += size;
    if (fill_ < 8) return;
    fill_ -= 8;
    state_ = Fold(state_ ^ piece_);
    piece_ = fill_ == 0 ? 0 : uint64_t{bytes} >> (8 * (size - fill_));
  }
  uint64_t Finish() const { return fill_ == 0 ? state_ : Fold(state_ ^ piece_); }

 private:
  uint64_t state_ = kSeed;
  uint64_t piece_ = 0;
  unsigned fill_ = 0;  // bytes in piece_
};

// What a code point is in MatchingText(). Below kSeparator: so many bytes, in the upper three of the entry.
enum Kind : uint8_t { kLeftOut = 0, kThreeBytes = 3, kSeparator, kAlone, kString, kApostrophe, kHamzaMark };

struct FoldedCharacters {
  std::vector<uint32_t> table;       // of the Basic Multilingual Plane: a kind, and above it bytes or a string's number
  std::vector<std::string> strings;  // spaces in them separate words
};

// What MatchingText() makes of `c` within a word, and before a digit when `digit`.
void FoldBetween(char32_t c, bool digit, std::string& probe, std::string& folded) {
  probe = "x";
  AppendUtf8(c, probe);
  probe += digit ? '1' : 'x';
  MatchingText(probe, folded);
  folded.pop_back();
  folded.erase(0, 1);
}

// Asks MatchingText() about every character once, so that both have the same words.
const FoldedCharacters& Folded() {
  static const FoldedCharacters* const made = [] {
    auto* characters = new FoldedCharacters;
    characters->table.resize(0x10000, kSeparator);
    std::string probe, folded;
    for (char32_t c = 0; c < 0x10000; ++c) {
      if (c >= 0xD800 && c <= 0xDFFF) continue;
      uint32_t& entry = characters->table[c];
      FoldBetween(c, false, probe, folded);
      const auto packed = [&](std::string_view bytes) {
        uint32_t value = 0;
        for (size_t i = 0; i < bytes.size(); ++i) value |= uint32_t{static_cast<uint8_t>(bytes[i])} << (8 * i);
        return value << 8;
      };
      const bool spaced = folded.find(' ') != std::string::npos;
      if (c >= 0x653 && c <= 0x655) {
        entry = kHamzaMark | packed(folded);
      } else if (folded.empty()) {
        FoldBetween(c, true, probe, folded);
        entry = folded == " " ? kApostrophe : kLeftOut;
      } else if (folded == " ") {
        entry = kSeparator;
      } else if (!spaced && folded.size() <= kThreeBytes) {
        entry = static_cast<uint32_t>(folded.size()) | packed(folded);
      } else if (folded.size() == 5 && folded.front() == ' ' && folded.back() == ' ') {
        entry = kAlone | packed(std::string_view(folded).substr(1, 3));
      } else {
        entry = kString | static_cast<uint32_t>(characters->strings.size()) << 8;
        characters->strings.push_back(folded);
      }
    }
    return characters;
  }();
  return *made;
}

}  // namespace

uint64_t HashOverlapWord(std::string_view word) {
  WordHash hash;
  for (const char c : word) hash.Append(static_cast<uint8_t>(c), 1);
  return hash.Finish();
}

OverlapWordScanner::OverlapWordScanner(size_t history)
    : history_(history),
      hashes_(history + kBatch, 0),
      begins_(history + kBatch, 0),
      ends_(history + kBatch, 0),
      masks_(2 * kBlocks) {
  Folded();
}

void OverlapWordScanner::Flush() {
  if (count_ == 0) return;
  (*take_)({count_, hashes_.data() + history_, begins_.data() + history_, ends_.data() + history_});
  const auto shift = [&](auto& values) {
    std::copy(values.begin() + static_cast<ptrdiff_t>(count_),
              values.begin() + static_cast<ptrdiff_t>(count_ + history_), values.begin());
  };
  shift(hashes_);
  shift(begins_);
  shift(ends_);
  count_ = 0;
}

inline void OverlapWordScanner::Add(uint64_t hash, size_t begin, size_t end) {
  hashes_[history_ + count_] = hash;
  begins_[history_ + count_] = begin;
  ends_[history_ + count_] = end;
  if (++count_ == kBatch) Flush();
}

// The words of a run between bytes that separate words and are ASCII, one code point after the other.
void OverlapWordScanner::SplitRun(std::string_view text, size_t begin, size_t end) {
  static const FoldedCharacters& folded = Folded();
  const CharacterClasses& classes = CharacterClasses::Get();
  WordHash word;
  bool begun = false;
  size_t word_begin = 0;
  size_t word_end = 0;
  bool behind_alef = false;
  const auto separate = [&] {
    if (begun) Add(word.Finish(), word_begin, word_end);
    word = WordHash();
    begun = behind_alef = false;
  };
  size_t at = begin;
  size_t from = begin;  // where the code point begins
  const auto append = [&](uint32_t bytes, unsigned size) {
    if (!begun) word_begin = from;
    begun = true;
    word.Append(bytes, size);
    word_end = at;
    behind_alef = size == 2 && bytes == 0xA7D8;
  };
  const auto append_string = [&](std::string_view string) {
    for (size_t i = 0; i < string.size(); ++i) {
      const auto byte = static_cast<uint8_t>(string[i]);
      if (byte == ' ') {
        separate();
      } else {
        append(byte, 1);
        behind_alef = byte == 0xA7 && i > 0 && static_cast<uint8_t>(string[i - 1]) == 0xD8;
      }
    }
  };
  std::string probe, rare;
  while (at < end) {
    from = at;
    const char32_t c = DecodeUtf8(text, &at);
    if (c >= folded.table.size()) {
      FoldBetween(c, false, probe, rare);
      append_string(rare);
      continue;
    }
    const uint32_t entry = folded.table[c];
    const uint32_t kind = entry & 0xFF;
    if (kind <= kThreeBytes) {
      if (kind != kLeftOut) append(entry >> 8, kind);
    } else if (kind == kSeparator) {
      separate();
    } else if (kind == kAlone) {
      separate();
      append(entry >> 8, 3);
      separate();
    } else if (kind == kString) {
      append_string(folded.strings[entry >> 8]);
    } else if (kind == kHamzaMark) {
      if (!behind_alef) append(entry >> 8, 2);
    } else {  // an apostrophe
      size_t next = at;
      if (at >= end || classes.Of(DecodeUtf8(text, &next)) != CharacterClass::kLetter) separate();
    }
  }
  separate();
}

inline void OverlapWordScanner::AddRun(std::string_view text, size_t begin, size_t end, bool plain) {
  constexpr uint64_t kSmall = 0x2020202020202020;  // makes ASCII letters small and leaves digits as they are
  if (!plain) {
    SplitRun(text, begin, end);
    return;
  }
  uint64_t hash = kSeed;
  size_t at = begin;
  while (end - at >= 8) {
    uint64_t piece;
    std::memcpy(&piece, text.data() + at, 8);
    hash = Fold(hash ^ (piece | kSmall));
    at += 8;
  }
  if (at < end) {
    uint64_t piece = 0;
    const size_t rest = end - at;
    if (text.size() - at >= 8) {
      std::memcpy(&piece, text.data() + at, 8);
    } else {
      std::memcpy(&piece, text.data() + at, rest);
    }
    hash = Fold(hash ^ ((piece | kSmall) & (~uint64_t{0} >> (64 - 8 * rest))));
  }
  Add(hash, begin, end);
}

void OverlapWordScanner::Scan(std::string_view text, const std::function<void(const OverlapWordBatch&)>& take) {
  take_ = &take;
  count_ = 0;
  std::fill(hashes_.begin(), hashes_.end(), 0);
  bool inside = false;   // of a run of word bytes, which begins at run_begin
  bool is_plain = true;  // so far
  size_t run_begin = 0;
  for (size_t base = 0; base < text.size(); base += 64 * kBlocks) {
    const size_t bytes = std::min(text.size() - base, 64 * kBlocks);
    const auto* data = reinterpret_cast<const uint8_t*>(text.data()) + base;
    const size_t whole = bytes / 64;
    HWY_DYNAMIC_DISPATCH(ClassifyBlocks)(data, whole, masks_.data());
    size_t blocks = whole;
    if (bytes % 64 != 0) {
      uint8_t last[64] = {};
      std::memcpy(last, data + 64 * whole, bytes % 64);
      HWY_DYNAMIC_DISPATCH(ClassifyBlocks)(last, 1, masks_.data() + 2 * whole);
      ++blocks;
    }
    for (size_t block = 0; block < blocks; ++block) {
      const uint64_t special = masks_[2 * block + 1];
      const uint64_t wordish = masks_[2 * block] | special;
      const size_t place = base + 64 * block;
      uint64_t edges = wordish ^ (wordish << 1 | (inside ? 1 : 0));
      uint64_t unseen = special;  // of the block, at or behind the last edge
      while (edges != 0) {
        const int bit = std::countr_zero(edges);
        edges &= edges - 1;
        const uint64_t before = (uint64_t{1} << bit) - 1;
        if (inside) {
          AddRun(text, run_begin, place + static_cast<size_t>(bit), is_plain && (unseen & before) == 0);
          unseen &= ~before;
        } else {
          run_begin = place + static_cast<size_t>(bit);
          is_plain = true;
        }
        inside = !inside;
      }
      if (inside) is_plain = is_plain && unseen == 0;
    }
  }
  if (inside) AddRun(text, run_begin, text.size(), is_plain);
  Flush();
}

}  // namespace rhodes
#endif  // HWY_ONCE
