// Rule "repetition": the shares of repeated lines, paragraphs and word n-grams of Gopher (Rae et al. 2021, table A1) as
// datatrove's GopherRepetitionFilter takes them.
#ifndef RHODES_CURATE_REPETITION_H_
#define RHODES_CURATE_REPETITION_H_

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "curate/verdict.h"
#include "curate/words.h"

namespace rhodes {

// A document is dropped when a share is greater than its threshold. Shares of characters are of the document's code
// points.
struct RepetitionSettings {
  double max_duplicate_paragraphs = 0.3;
  double max_duplicate_paragraph_characters = 0.2;
  double max_duplicate_lines = 0.3;
  double max_duplicate_line_characters = 0.2;
  std::array<double, 3> max_top_ngram = {0.20, 0.18, 0.16};                           // 2-, 3- and 4-grams
  std::array<double, 6> max_duplicate_ngrams = {0.15, 0.14, 0.13, 0.12, 0.11, 0.10};  // 5- to 10-grams
  // How often the most frequent n-gram must occur to count. The reference's 1 drops every short document.
  uint64_t min_top_ngram_count = 2;
};

struct RepetitionMeasures {
  double duplicate_paragraphs = 0;
  double duplicate_paragraph_characters = 0;
  double duplicate_lines = 0;
  double duplicate_line_characters = 0;
  std::array<double, 3> top_ngram{};
  std::array<double, 6> duplicate_ngrams{};
};

// Tables that are kept from document to document. Not thread-safe.
class RepetitionScratch {
 private:
  friend class RepetitionMeasurer;
  struct Slot {
    uint64_t hash;
    uint32_t count;
    uint32_t first;  // which element had it first
  };
  std::vector<Slot> slots_;
  std::vector<uint64_t> ngrams_;
};

// `seed` as in SplitWords. Linear in `text`.
RepetitionMeasures MeasureRepetition(std::string_view text, const Words& words, uint64_t seed,
                                     uint64_t min_top_ngram_count, RepetitionScratch& scratch);
// The first threshold that is passed, in the reference's order and by its names: dup_para_frac, dup_para_char_frac,
// dup_line_frac, dup_line_char_frac, top_2_gram ... top_4_gram, duplicated_5_n_grams ... duplicated_10_n_grams.
Verdict JudgeRepetition(const RepetitionMeasures& measures, const RepetitionSettings& settings);

}  // namespace rhodes

#endif  // RHODES_CURATE_REPETITION_H_
