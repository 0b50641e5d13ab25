#include "curate/quality.h"

#include <algorithm>
#include <array>

namespace rhodes {
namespace {

constexpr std::string_view kBullet = "\xE2\x80\xA2";
constexpr std::string_view kEllipsis = "\xE2\x80\xA6";

bool EndsWith(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

bool IsSpaced(std::string_view language) {
  constexpr std::array<std::string_view, 8> kUnspaced = {"zh", "ja", "th", "lo", "km", "my", "bo", "dz"};
  const std::string_view primary = language.substr(0, language.find('-'));
  return std::find(kUnspaced.begin(), kUnspaced.end(), primary) == kUnspaced.end();
}

double Ratio(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

void MeasureLines(std::string_view text, QualityMeasures& measures) {
  uint64_t lines = 0;
  uint64_t bullets = 0;
  uint64_t ellipses = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = text.substr(begin, end - begin);
    begin = end + 1;
    ++lines;
    const size_t first = line.find_first_not_of(" \t");
    if (first == std::string_view::npos) continue;
    line = line.substr(first, line.find_last_not_of(" \t") + 1 - first);
    if (line.front() == '-' || line.substr(0, kBullet.size()) == kBullet) ++bullets;
    if (EndsWith(line, "...") || EndsWith(line, kEllipsis)) ++ellipses;
  }
  measures.bullet_line_ratio = Ratio(bullets, lines);
  measures.ellipsis_line_ratio = Ratio(ellipses, lines);
}

}  // namespace

QualityMeasures MeasureQuality(std::string_view text, const Words& words, std::string_view language) {
  QualityMeasures measures;
  measures.words = words.plain_count;
  measures.mean_word_length = Ratio(words.plain_code_points, words.plain_count);
  measures.number_sign_ratio = Ratio(words.number_signs, words.count);
  measures.ellipsis_ratio = Ratio(words.ellipses, words.count);
  measures.alpha_word_ratio = Ratio(words.with_letter, words.count);
  measures.stop_words = words.stop_words;
  measures.spaced = IsSpaced(language);
  measures.has_stop_words = FindStopWords(language) != nullptr;
  MeasureLines(text, measures);
  return measures;
}

Verdict JudgeQuality(const QualityMeasures& measures, const QualitySettings& settings) {
  const auto drop = [](std::string_view reason) { return Verdict{"quality", reason, {}}; };
  if (measures.words < settings.min_words) return drop("gopher_short_doc");
  if (measures.words > settings.max_words) return drop("gopher_long_doc");
  if (measures.spaced && measures.mean_word_length < settings.min_mean_word_length) {
    return drop("gopher_below_avg_threshold");
  }
  if (measures.spaced && measures.mean_word_length > settings.max_mean_word_length) {
    return drop("gopher_above_avg_threshold");
  }
  if (measures.number_sign_ratio > settings.max_symbol_word_ratio) return drop("gopher_too_many_hashes");
  if (measures.ellipsis_ratio > settings.max_symbol_word_ratio) return drop("gopher_too_many_ellipsis");
  if (measures.bullet_line_ratio > settings.max_bullet_line_ratio) return drop("gopher_too_many_bullets");
  if (measures.ellipsis_line_ratio > settings.max_ellipsis_line_ratio) return drop("gopher_too_many_end_ellipsis");
  if (measures.alpha_word_ratio < settings.min_alpha_word_ratio) return drop("gopher_below_alpha_threshold");
  if (measures.has_stop_words && measures.words >= settings.stop_words_from &&
      measures.stop_words < settings.min_stop_words) {
    return drop("gopher_enough_stop_words");
  }
  return {};
}

}  // namespace rhodes
