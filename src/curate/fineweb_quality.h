// Rule "fineweb-quality": the four measures that FineWeb added (Penedo et al. 2024, section 3.6) as datatrove's
// FineWebQualityFilter takes them.
#ifndef RHODES_CURATE_FINEWEB_QUALITY_H_
#define RHODES_CURATE_FINEWEB_QUALITY_H_

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "curate/line_hashes.h"
#include "curate/verdict.h"
#include "curate/words.h"

namespace rhodes {

struct FineWebQualitySettings {
  double min_line_punctuation_ratio = 0.12;  // lines that end in a terminal punctuation mark (159 of all scripts)
  double max_short_line_ratio = 0.67;
  uint64_t short_line_length = 30;              // code points; lines up to that are short
  double max_duplicate_line_characters = 0.01;  // of the text without line ends; FineWeb-2 takes 0.1
  double max_line_ends_per_word = 0.3;
};

// Lines without text do not count. Reasons, in this order: empty, line_punct_ratio, short_line_ratio, char_dup_ratio,
// list_ratio. `words` gives the number of words and is only called when the others kept the document. Linear.
void JudgeFineWebQuality(std::string_view text, const FineWebQualitySettings& settings, uint64_t seed,
                         const std::function<uint64_t()>& words, LineHashes& scratch, Findings& findings);

// Whether `line` ends in one of the marks that end sentences in some script (Unicode 16: Sentence_Terminal, of which
// the reference has 159).
bool EndsSentence(std::string_view line);

}  // namespace rhodes

#endif  // RHODES_CURATE_FINEWEB_QUALITY_H_
