// Rule "repetition": the shares of repeated lines, paragraphs and word n-grams of Gopher (Rae et al. 2021, table A1) as
// datatrove's GopherRepetitionFilter takes them.
#ifndef RHODES_CURATE_REPETITION_H_
#define RHODES_CURATE_REPETITION_H_

#include <array>
#include <cstdint>
#include <functional>
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

// The reference's defaults.
RepetitionSettings ReferenceRepetition();

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
    uint32_t count;  // 0: empty
    uint32_t first;  // which element had it first
  };
  struct Candidate {  // an n-gram that occurs more than once
    uint64_t hash;
    uint32_t word;  // it begins there
    uint32_t slot;
  };
  std::vector<Slot> slots_;
  std::vector<Candidate> candidates_;
  std::vector<uint64_t> hashes_;
  std::vector<std::string_view> pieces_;
};

// `seed`: give a hash of the text, so that no text can be made whose words collide in the tables. Linear in `text`.
RepetitionMeasures MeasureRepetition(std::string_view text, const Words& words, uint64_t seed,
                                     uint64_t min_top_ngram_count, RepetitionScratch& scratch);
// In the reference's order and by its names: dup_para_frac, dup_para_char_frac, dup_line_frac, dup_line_char_frac,
// top_2_gram ... top_4_gram, duplicated_5_n_grams ... duplicated_10_n_grams. What comes after the first that drops is
// not measured. `words()` gives the words of `text` and is only called when paragraphs and lines kept the document. The
// first four thresholds are off when 0, as in the reference. Linear in `text`.
void JudgeRepetition(std::string_view text, uint64_t code_points, const std::function<const Words&()>& words,
                     uint64_t seed, const RepetitionSettings& settings, RepetitionScratch& scratch, Findings& findings);

}  // namespace rhodes

#endif  // RHODES_CURATE_REPETITION_H_
