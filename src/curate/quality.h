// Rule "quality": the measures of Gopher (Rae et al. 2021, table A1) as datatrove's GopherQualityFilter takes them.
#ifndef RHODES_CURATE_QUALITY_H_
#define RHODES_CURATE_QUALITY_H_

#include <cstdint>
#include <string_view>

#include "curate/verdict.h"
#include "curate/words.h"

namespace rhodes {

// A document is dropped when a measure is beyond its threshold; comparisons are strict. The reference's default stands
// in the comment where ours differs; docs/curation.md says why.
struct QualitySettings {
  uint64_t min_words = 5;  // words that are not symbols; reference 50
  uint64_t max_words = 100'000;
  double min_mean_word_length = 3;  // code points; languages written without spaces are not measured
  double max_mean_word_length = 10;
  double max_symbol_word_ratio = 0.1;    // '#' a word; ellipses a word
  double max_bullet_line_ratio = 0.9;    // lines that begin with a bullet or hyphen
  double max_ellipsis_line_ratio = 0.3;  // lines that end with an ellipsis
  double min_alpha_word_ratio = 0.5;     // words with a letter, of all with symbols; reference 0.8
  uint64_t min_stop_words = 1;           // distinct, in languages that have a list; reference 2
  uint64_t stop_words_from = 30;         // documents of fewer words need none; reference 0
};

// The reference's defaults.
QualitySettings ReferenceQuality();

struct QualityMeasures {
  uint64_t words = 0;
  double mean_word_length = 0;
  double number_sign_ratio = 0;
  double ellipsis_ratio = 0;
  double bullet_line_ratio = 0;
  double ellipsis_line_ratio = 0;
  double alpha_word_ratio = 0;
  uint64_t stop_words = 0;
  bool spaced = true;           // whether the language puts spaces between words
  bool has_stop_words = false;  // whether there is a list
};

// Whose stop words count, and how.
struct StopWordSettings {
  const StopWords* list = nullptr;  // null: not measured
  uint64_t wanted = 64;             // counted up to that
  bool unmark = true;               // Arabic vowel marks aside; the reference compares with them
};

// `words` are those of `text`. With `reference` lines end where Python's splitlines() ends them, a text without lines
// has no lines, and word lengths are measured in all languages.
QualityMeasures MeasureQuality(std::string_view text, const Words& words, std::string_view language,
                               const StopWordSettings& stop_words, bool reference = false);
// In the reference's order and by its names: gopher_short_doc, gopher_long_doc, gopher_below_avg_threshold,
// gopher_above_avg_threshold, gopher_too_many_hashes, gopher_too_many_ellipsis, gopher_too_many_bullets,
// gopher_too_many_end_ellipsis, gopher_below_alpha_threshold, gopher_enough_stop_words. Thresholds of 0 are off.
void JudgeQuality(const QualityMeasures& measures, const QualitySettings& settings, Findings& findings);

}  // namespace rhodes

#endif  // RHODES_CURATE_QUALITY_H_
