#include "curate/quality.h"

#include <algorithm>
#include <array>

#include "curate/lines.h"

namespace rhodes {
namespace {

constexpr std::string_view kBullet = "\xE2\x80\xA2";
constexpr std::string_view kEllipsis = "\xE2\x80\xA6";

bool IsSpaced(std::string_view language) {
  constexpr std::array<std::string_view, 8> kUnspaced = {"zh", "ja", "th", "lo", "km", "my", "bo", "dz"};
  const std::string_view primary = language.substr(0, language.find('-'));
  return std::find(kUnspaced.begin(), kUnspaced.end(), primary) == kUnspaced.end();
}

double Ratio(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

void MeasureLines(std::string_view text, bool reference, QualityMeasures& measures) {
  uint64_t lines = 0;
  uint64_t bullets = 0;
  uint64_t ellipses = 0;
  ForEachLine(text, reference, [&](std::string_view line) {
    ++lines;
    line = reference ? StripWhiteSpace(line) : StripBlanks(line);
    if (line.empty()) return;
    if (line.front() == '-' || line.starts_with(kBullet)) ++bullets;
    if (line.ends_with("...") || line.ends_with(kEllipsis)) ++ellipses;
  });
  measures.bullet_line_ratio = Ratio(bullets, lines);
  measures.ellipsis_line_ratio = Ratio(ellipses, lines);
}

}  // namespace

QualitySettings ReferenceQuality() {
  QualitySettings settings;
  settings.min_words = 50;
  settings.min_alpha_word_ratio = 0.8;
  settings.min_stop_words = 2;
  settings.stop_words_from = 0;
  return settings;
}

QualityMeasures MeasureQuality(std::string_view text, const Words& words, std::string_view language,
                               const StopWordSettings& stop_words, bool reference) {
  QualityMeasures measures;
  measures.words = words.plain_count;
  measures.mean_word_length = Ratio(words.plain_code_points, words.plain_count);
  measures.number_sign_ratio = Ratio(words.number_signs, words.count);
  measures.ellipsis_ratio = Ratio(words.ellipses, words.count);
  measures.alpha_word_ratio = Ratio(words.with_letter, words.count);
  measures.spaced = reference || IsSpaced(language);
  measures.has_stop_words = stop_words.list != nullptr;
  if (stop_words.list != nullptr) {
    measures.stop_words =
        WordSplitter::CountStopWords(text, words, *stop_words.list, stop_words.wanted, stop_words.unmark);
  }
  MeasureLines(text, reference, measures);
  return measures;
}

void JudgeQuality(const QualityMeasures& measures, const QualitySettings& settings, Findings& findings) {
  const auto count = [](uint64_t number) { return static_cast<double>(number); };
  const auto below = [&](std::string_view reason, double value, double threshold) {
    return threshold != 0 && findings.Below(reason, value, threshold);
  };
  const auto above = [&](std::string_view reason, double value, double threshold) {
    return threshold != 0 && findings.Above(reason, value, threshold);
  };
  if (below("gopher_short_doc", count(measures.words), count(settings.min_words))) return;
  if (above("gopher_long_doc", count(measures.words), count(settings.max_words))) return;
  if (measures.spaced) {
    if (below("gopher_below_avg_threshold", measures.mean_word_length, settings.min_mean_word_length)) return;
    if (above("gopher_above_avg_threshold", measures.mean_word_length, settings.max_mean_word_length)) return;
  }
  if (above("gopher_too_many_hashes", measures.number_sign_ratio, settings.max_symbol_word_ratio)) return;
  if (above("gopher_too_many_ellipsis", measures.ellipsis_ratio, settings.max_symbol_word_ratio)) return;
  if (above("gopher_too_many_bullets", measures.bullet_line_ratio, settings.max_bullet_line_ratio)) return;
  if (above("gopher_too_many_end_ellipsis", measures.ellipsis_line_ratio, settings.max_ellipsis_line_ratio)) return;
  if (below("gopher_below_alpha_threshold", measures.alpha_word_ratio, settings.min_alpha_word_ratio)) return;
  if (measures.has_stop_words && measures.words >= settings.stop_words_from) {
    below("gopher_enough_stop_words", count(measures.stop_words), count(settings.min_stop_words));
  }
}

}  // namespace rhodes
