// Rule "fineweb2": the thresholds and stop words that FineWeb-2 (Penedo et al. 2025) found for each language.
#ifndef RHODES_CURATE_LANGUAGE_SETTINGS_H_
#define RHODES_CURATE_LANGUAGE_SETTINGS_H_

#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "curate/fineweb_quality.h"
#include "curate/quality.h"
#include "curate/repetition.h"
#include "curate/stop_words.h"

namespace rhodes {

// What the rule "fineweb2" does in one language: GopherRepetitionFilter, FineWebQualityFilter and GopherQualityFilter
// with these settings, in this order.
struct FineWeb2Language {
  std::string code;  // ISO 639-3 and script: "arb_Arab"
  RepetitionSettings repetition;
  FineWebQualitySettings fineweb;
  QualitySettings quality;
  StopWords stop_words{{}};
  double language_score =
      0;  // of GlotLID, which FineWeb-2 asks for; not comparable with CLD2's confidence: not applied
};

// The settings of `language` (BCP 47 as a document has it, "ar", or the code itself, "arb_Arab"); English has those of
// FineWeb. Null when FineWeb-2 has none: the rule does not apply then. Lives as long as the program; thread-safe.
const FineWeb2Language* FindFineWeb2Language(std::string_view language);
// The codes of all languages that have settings, sorted.
std::vector<std::string> FineWeb2Languages();

// Thresholds that are set by the user in place of the language's own; NaN: the language's own.
struct FineWeb2Settings {
  static constexpr double kOwn = std::numeric_limits<double>::quiet_NaN();
  double max_duplicate_lines = kOwn;
  double max_top_2_gram = kOwn;
  double max_top_3_gram = kOwn;
  double max_top_4_gram = kOwn;
  double max_duplicate_5_grams = kOwn;
  double max_duplicate_6_grams = kOwn;
  double max_duplicate_7_grams = kOwn;
  double max_duplicate_8_grams = kOwn;
  double max_duplicate_9_grams = kOwn;
  double max_duplicate_10_grams = kOwn;
  double min_line_punctuation_ratio = kOwn;
  double max_duplicate_line_characters = kOwn;
  double max_line_ends_per_word = kOwn;
  double min_words = kOwn;
  double max_words = kOwn;
  double min_mean_word_length = kOwn;
  double max_mean_word_length = kOwn;
  double max_symbol_word_ratio = kOwn;
  double max_bullet_line_ratio = kOwn;
  double max_ellipsis_line_ratio = kOwn;
  double min_alpha_word_ratio = kOwn;
  double min_stop_words = kOwn;

  // Calls `visit(name, field)` for each.
  template <typename Visit>
  void ForEach(Visit visit);
  // Replaces the thresholds that are set here.
  void ApplyTo(RepetitionSettings& repetition, FineWebQualitySettings& fineweb, QualitySettings& quality) const;
};

template <typename Visit>
void FineWeb2Settings::ForEach(Visit visit) {
  visit("max_duplicate_lines", max_duplicate_lines);
  visit("max_top_2_gram", max_top_2_gram);
  visit("max_top_3_gram", max_top_3_gram);
  visit("max_top_4_gram", max_top_4_gram);
  visit("max_duplicate_5_grams", max_duplicate_5_grams);
  visit("max_duplicate_6_grams", max_duplicate_6_grams);
  visit("max_duplicate_7_grams", max_duplicate_7_grams);
  visit("max_duplicate_8_grams", max_duplicate_8_grams);
  visit("max_duplicate_9_grams", max_duplicate_9_grams);
  visit("max_duplicate_10_grams", max_duplicate_10_grams);
  visit("min_line_punctuation_ratio", min_line_punctuation_ratio);
  visit("max_duplicate_line_characters", max_duplicate_line_characters);
  visit("max_line_ends_per_word", max_line_ends_per_word);
  visit("min_words", min_words);
  visit("max_words", max_words);
  visit("min_mean_word_length", min_mean_word_length);
  visit("max_mean_word_length", max_mean_word_length);
  visit("max_symbol_word_ratio", max_symbol_word_ratio);
  visit("max_bullet_line_ratio", max_bullet_line_ratio);
  visit("max_ellipsis_line_ratio", max_ellipsis_line_ratio);
  visit("min_alpha_word_ratio", min_alpha_word_ratio);
  visit("min_stop_words", min_stop_words);
}

}  // namespace rhodes

#endif  // RHODES_CURATE_LANGUAGE_SETTINGS_H_
