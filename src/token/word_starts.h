// Where the words of a stretch of text begin, for 64 bytes at a time: what Splitter (token/splitter.h) finds one by
// one.
#ifndef RHODES_TOKEN_WORD_STARTS_H_
#define RHODES_TOKEN_WORD_STARTS_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "token/class_masks.h"
#include "token/pattern.h"
#include "token/splitter.h"

namespace rhodes {

// Memory for one thread's splitting.
struct WordStarts {
  ClassMasks masks;
  ClassMasks::Mask starts;  // a bit for each byte at which a word begins
  uint16_t begins[ClassMasks::kBytes + 1];
  size_t words = 0;
  char padded[ClassMasks::kBytes + ClassMasks::kPadding];  // the last bytes of a text, so that more can be read
};

// The largest size, at most `limit` and more than `limit` - `tries`, at which every pattern cuts `text` whatever comes
// before: after a letter that neither a letter nor a mark nor an apostrophe follows. 0: there is none.
size_t SureCut(std::string_view text, size_t limit, size_t tries = SIZE_MAX);

// Fills begins[0 .. words) and begins[words], the end, with the words of `text` of `size` bytes, 1 to
// ClassMasks::kBytes, which begins where a word begins and ends at a sure cut. ClassMasks::kPadding bytes behind it are
// read.
template <Pattern kPattern>
void FindWordStarts(const char* text, size_t size, WordStarts& found);

// Calls `stretch(base, found)` for the words base + found.begins[...] of one stretch of `text` after the other, of
// which ClassMasks::kPadding bytes behind can be read, and `word(word)` for single ones between: together they are the
// words that SplitWith() finds, in order.
template <Pattern kPattern, typename Stretch, typename Word>
void SplitByStretches(std::string_view text, WordStarts& found, Stretch&& stretch, Word&& word) {
  const Splitter splitter(text);
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    const auto left = static_cast<size_t>(end - at);
    const size_t limit = left < ClassMasks::kBytes ? left : ClassMasks::kBytes;
    const size_t size = SureCut({at, left}, limit);
    if (size == 0) {
      for (const char* const stop = at + limit; at < stop;) {
        const char* word_end = splitter.WordEnd<kPattern>(at);
        word(std::string_view(at, static_cast<size_t>(word_end - at)));
        at = word_end;
      }
      continue;
    }
    const char* base = at;
    if (left - size < ClassMasks::kPadding) {
      std::memcpy(found.padded, at, size);
      base = found.padded;
    }
    FindWordStarts<kPattern>(base, size, found);
    stretch(base, static_cast<const WordStarts&>(found));
    at += size;
  }
}

}  // namespace rhodes

#endif  // RHODES_TOKEN_WORD_STARTS_H_
