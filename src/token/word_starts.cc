#include "token/word_starts.h"

#include <bit>

namespace rhodes {
namespace {

using Mask = ClassMasks::Mask;

// Bit i: what `mask` says of byte i - 1.
uint64_t Before(const Mask& mask, size_t block) { return mask[block] << 1 | (block == 0 ? 0 : mask[block - 1] >> 63); }
// Bit i: what `mask` says of byte i + 1.
uint64_t Behind(const Mask& mask, size_t block) { return mask[block] >> 1 | mask[block + 1] << 63; }

bool Has(const Mask& mask, size_t at) { return (mask[at / 64] >> at % 64 & 1) != 0; }
void Set(Mask& mask, size_t at) { mask[at / 64] |= uint64_t{1} << at % 64; }
void Clear(Mask& mask, size_t at) { mask[at / 64] &= ~(uint64_t{1} << at % 64); }

template <typename Visit>
void ForEachBit(uint64_t bits, size_t block, Visit&& visit) {
  for (; bits != 0; bits &= bits - 1) visit(64 * block + static_cast<size_t>(std::countr_zero(bits)));
}

// The bits of runs of `runs` from each bit of `from` on, which are first bits of runs; `carry`: the block before ended
// within such a run; set to whether this one does.
uint64_t RunsFrom(uint64_t runs, uint64_t from, bool& carry) {
  from |= runs & static_cast<uint64_t>(carry);
  const uint64_t marked = runs & ~(runs + from);
  carry = (marked >> 63) != 0;
  return marked;
}

// The words of a stretch by the patterns' rules, as equations of bits. What is too rare to be worth an equation is
// marked in `hard_`; Splitter finds the words around it.
template <Pattern kPattern>
class StretchSplitter {
 public:
  StretchSplitter(const char* text, size_t size, WordStarts& found)
      : text_(text), size_(size), masks_(found.masks), starts_(found.starts), splitter_({text, size}) {
    FindClassMasks(text, size, kCases, found.masks);
    blocks_ = masks_.blocks;
  }

  void Run() {
    for (size_t block = 0; block < blocks_; ++block) {
      if constexpr (kPattern == Pattern::kGpt2) {
        Gpt2Block(block);
      } else {
        Llama3Block(block);
      }
    }
    starts_[0] |= 1;
    starts_[blocks_] = 0;
    if constexpr (kPattern != Pattern::kGpt2) KeepEmptyLinesWhole();
    for (size_t block = 0; block < blocks_; ++block) {
      if (masks_.apostrophe[block] != 0) Contract(block);
    }
    SplitHardPlaces();
  }

 private:
  static constexpr bool kCases = kPattern == Pattern::kO200k;

  uint64_t Valid(size_t block) const {
    const size_t rest = size_ - 64 * block;
    return rest >= 64 ? ~uint64_t{0} : (uint64_t{1} << rest) - 1;
  }

  void Gpt2Block(size_t b) {
    const uint64_t letter = masks_.letter[b];
    const uint64_t number = masks_.number[b];
    const uint64_t space = masks_.space[b];
    symbol_[b] = ~(letter | number | space) & Valid(b);
    const uint64_t firsts = (letter & ~Before(masks_.letter, b)) | (number & ~Before(masks_.number, b)) |
                            (symbol_[b] & ~Before(symbol_, b));
    // A blank before a word is its first character, and so the last of several spaces is a word or begins one.
    const uint64_t spaces = space & (~Before(masks_.space, b) | ~Behind(masks_.space, b));
    starts_[b] = ((firsts & ~Before(masks_.blank, b)) | spaces) & ~masks_.continuation[b];
    hard_[b] = space & masks_.continuation[b];
  }

  void Llama3Block(size_t b) {
    const uint64_t first_bytes = ~masks_.continuation[b];
    const uint64_t number = masks_.number[b];
    const uint64_t space = masks_.space[b];
    word_[b] = kCases ? masks_.upper_like[b] | masks_.lower_like[b] : masks_.letter[b];
    symbol_[b] = ~(word_[b] | number | space) & Valid(b);
    const uint64_t after_symbol = Before(symbol_, b);
    // Line breaks right after symbols belong to these.
    const uint64_t attached = RunsFrom(masks_.line_break[b], masks_.line_break[b] & after_symbol, attached_carry_);
    spaces_[b] = space & ~attached;
    breaks_[b] = masks_.line_break[b] & ~attached;
    gaps_[b] = spaces_[b] & ~breaks_[b];

    const uint64_t after_blank = Before(masks_.blank, b);
    const uint64_t first_symbols = symbol_[b] & first_bytes & ~after_symbol & ~after_blank;
    // All bytes of symbols that begin a match; one right before letters goes with them.
    uint64_t taking = first_symbols;
    for (int i = 0; i < 3; ++i) {
      taking |= (taking << 1 | taken_carry_) & masks_.continuation[b] & symbol_[b];
    }
    const uint64_t taken = taking << 1 | taken_carry_;
    taken_carry_ = taking >> 63;
    uint64_t words = word_[b] & ~Before(word_, b) & ~Before(gaps_, b) & ~taken;
    hard_[b] = space & masks_.continuation[b];
    if constexpr (kCases) words |= CaseStarts(b);

    // A run of spaces is one word up to its last line break; behind it, the last space is a word or begins one.
    const uint64_t gap_starts = gaps_[b] & (~Behind(masks_.space, b) | Before(breaks_, b));
    const uint64_t space_starts = (spaces_[b] & ~Before(spaces_, b)) | gap_starts;
    starts_[b] = (words | first_symbols | space_starts) & first_bytes;
    starts_[b] |= NumberStarts(b);
    lines_[b] = breaks_[b] & Before(gaps_, b);
  }

  // Where upper case follows lower case; letters without case are taken as either, marks too.
  uint64_t CaseStarts(size_t b) {
    const uint64_t upper = masks_.upper_like[b];
    const uint64_t lower = masks_.lower_like[b];
    caseless_[b] = upper & lower;
    small_[b] = lower & ~upper;
    const uint64_t capital = upper & ~lower;
    const uint64_t mark = word_[b] & ~masks_.letter[b];
    hard_[b] |= (capital & Before(caseless_, b)) | (mark & ~Before(word_, b)) |
                (masks_.slash[b] & Before(masks_.line_break, b));
    return capital & Before(small_, b);
  }

  uint64_t NumberStarts(size_t b) {
    const uint64_t number = masks_.number[b];
    if constexpr (kPattern == Pattern::kQwen2) return number & ~masks_.continuation[b];
    hard_[b] |= number & masks_.continuation[b];
    uint64_t starts = number & ~Before(masks_.number, b);
    const uint64_t before = b == 0 ? 0 : masks_.number[b - 1];
    const uint64_t fourth =
        number & (number << 1 | before >> 63) & (number << 2 | before >> 62) & (number << 3 | before >> 61);
    for (uint64_t more = (starts << 3 | (b == 0 ? 0 : numbers_before_ >> 61)) & fourth; more != 0;
         more = more << 3 & fourth) {
      starts |= more;
    }
    numbers_before_ = starts;
    return starts;
  }

  // Spaces between two line breaks are within the run up to its last line break.
  void KeepEmptyLinesWhole() {
    for (size_t block = 0; block < blocks_; ++block) {
      ForEachBit(lines_[block], block, [&](size_t at) {
        size_t first = at;
        while (first > 0 && Has(gaps_, first - 1)) --first;
        if (first > 0 && Has(breaks_, first - 1)) Clear(starts_, first);
      });
    }
  }

  void Contract(size_t block) {
    uint64_t apostrophes = masks_.apostrophe[block];
    if constexpr (kCases) {
      apostrophes &= Before(word_, block);
    } else {
      apostrophes &= starts_[block];
    }
    ForEachBit(apostrophes, block, [&](size_t at) {
      const char* const end = splitter_.ContractionEnd(text_ + at, kPattern != Pattern::kGpt2);
      if (end == nullptr || (kCases && at == contraction_end_)) return;
      contraction_end_ = static_cast<size_t>(end - text_);
      if constexpr (kCases) {
        Clear(starts_, at);  // it ends the word before it
      } else if constexpr (kPattern == Pattern::kGpt2) {
        Clear(starts_, at + 1);
      }
      if (contraction_end_ < size_) Set(starts_, contraction_end_);
    });
  }

  // Where every pattern cuts whatever came before: see SureCut().
  uint64_t SureCuts(size_t b) const {
    uint64_t cuts = Before(masks_.letter, b) & ~masks_.letter[b] & ~masks_.apostrophe[b];
    if constexpr (kCases) cuts &= ~word_[b];
    return cuts;
  }
  size_t CutBefore(size_t at) const {
    size_t block = at / 64;
    uint64_t cuts = SureCuts(block) & (~uint64_t{0} >> (63 - at % 64));
    while (cuts == 0 && block > 0) cuts = SureCuts(--block);
    return cuts == 0 ? 0 : 64 * block + 63 - static_cast<size_t>(std::countl_zero(cuts));
  }

  void SplitHardPlaces() {
    size_t done = 0;
    for (size_t block = 0; block < blocks_; ++block) {
      ForEachBit(hard_[block], block, [&](size_t at) {
        if (at < done) return;
        size_t begin = CutBefore(at);
        // Up to the first sure cut behind `at`: there, a word ends for Splitter too.
        size_t stop = at + 1;
        while (stop < size_ && (SureCuts(stop / 64) >> stop % 64 & 1) == 0) ++stop;
        for (size_t i = begin + 1; i < stop; ++i) Clear(starts_, i);
        while (begin < stop) {
          if (begin > 0) Set(starts_, begin);
          begin = static_cast<size_t>(splitter_.template WordEnd<kPattern>(text_ + begin) - text_);
        }
        done = stop;
      });
    }
  }

  const char* text_;
  size_t size_;
  const ClassMasks& masks_;
  Mask& starts_;
  Splitter splitter_;
  size_t blocks_ = 0;
  Mask symbol_;
  Mask word_;    // letters; with cases, marks too
  Mask spaces_;  // not attached to symbols
  Mask breaks_;  // of these, line breaks
  Mask gaps_;    // and the others
  Mask lines_;   // line breaks that spaces come before
  Mask caseless_;
  Mask small_;
  Mask hard_;
  bool attached_carry_ = false;
  uint64_t taken_carry_ = 0;
  uint64_t numbers_before_ = 0;
  size_t contraction_end_ = 0;
};

}  // namespace

size_t SureCut(std::string_view text, size_t limit, size_t tries) {
  const uint8_t* const classes = CharacterClasses();
  const char* const end = text.data() + text.size();
  for (size_t at = limit; at > 0 && tries > 0; --at, --tries) {
    const auto last = static_cast<uint8_t>(text[at - 1]);
    if (last < 0x80) {
      if ((classes[last] & kLetter) == 0) continue;
    } else {
      size_t lead = at - 1;
      while (lead > 0 && at - lead < 4 && (static_cast<uint8_t>(text[lead]) & 0xC0) == 0x80) --lead;
      const Character before = DecodeCharacter(text.data() + lead, end, classes);
      if (lead + before.length != at || (before.character_class & kLetter) == 0) continue;
    }
    if (at == text.size()) return at;
    if (text[at] == '\'') continue;
    const Character next = DecodeCharacter(text.data() + at, end, classes);
    if ((next.character_class & (kLetter | kUpperLike | kLowerLike)) == 0) return at;
  }
  return 0;
}

template <Pattern kPattern>
void FindWordStarts(const char* text, size_t size, WordStarts& found) {
  StretchSplitter<kPattern>(text, size, found).Run();
  size_t words = 0;
  for (size_t block = 0; block < found.masks.blocks; ++block) {
    ForEachBit(found.starts[block], block, [&](size_t at) { found.begins[words++] = static_cast<uint16_t>(at); });
  }
  found.begins[words] = static_cast<uint16_t>(size);
  found.words = words;
}

template void FindWordStarts<Pattern::kGpt2>(const char*, size_t, WordStarts&);
template void FindWordStarts<Pattern::kLlama3>(const char*, size_t, WordStarts&);
template void FindWordStarts<Pattern::kQwen2>(const char*, size_t, WordStarts&);
template void FindWordStarts<Pattern::kO200k>(const char*, size_t, WordStarts&);
template void FindWordStarts<Pattern::kCl100k>(const char*, size_t, WordStarts&);

}  // namespace rhodes
