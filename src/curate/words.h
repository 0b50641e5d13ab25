// Splits a text into words once, for all rules that count them.
#ifndef RHODES_CURATE_WORDS_H_
#define RHODES_CURATE_WORDS_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "curate/stop_words.h"

namespace rhodes {

// A word is a run of letters, digits and marks, with apostrophes between letters and "." "," ":" between digits inside
// it; an ideograph is a word alone; and a run of one and the same symbol ("...", "-----") is a symbol word, which
// counts as a word in the denominators, as in the reference. Lengths are code points.
struct Words {
  // The rules of repetition look at the first kAnalysed words (or lines): bounds memory at 48 MiB + the n-gram table
  // (128 MiB).
  static constexpr size_t kAnalysed = size_t{1} << 22;

  std::vector<uint64_t> hashes;       // of each analysed word
  std::vector<uint32_t> begins;       // code points of the analysed words before word i; one entry more than hashes
  uint64_t analysed_code_points = 0;  // of the text up to the end of the last analysed word (all of it when short)
  uint64_t count = 0;                 // words, symbol words included
  uint64_t plain_count = 0;           // words that are not symbol words
  uint64_t plain_code_points = 0;     // in those
  uint64_t with_letter = 0;           // words that have a letter
  uint64_t number_signs = 0;          // '#'
  uint64_t ellipses = 0;              // "..." and U+2026
  uint64_t stop_words = 0;            // distinct, counted up to `stop_words_wanted`; Arabic vowel marks aside
  uint64_t code_points = 0;           // of the text
};

// Replaces `words` by those of `text` (valid UTF-8, less than 4 GiB). `stop_words` may be null. The word hashes are
// seeded with `seed`: give a hash of the text, so that no text can be made whose words collide in the tables.
void SplitWords(std::string_view text, uint64_t seed, const StopWords* stop_words, uint64_t stop_words_wanted,
                Words& words);

}  // namespace rhodes

#endif  // RHODES_CURATE_WORDS_H_
