#include "curate/language_settings.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include "base/text.h"
#include "curate/fineweb2_table.h"
#include "curate/language.h"

namespace rhodes {
namespace {

// FineWeb-2's pipeline sets these for all languages.
FineWeb2Language Common(std::string code) {
  FineWeb2Language language;
  language.code = std::move(code);
  language.repetition = ReferenceRepetition();
  language.quality = ReferenceQuality();
  language.repetition.max_duplicate_paragraphs = 0;
  language.repetition.max_duplicate_paragraph_characters = 0;
  language.repetition.max_duplicate_line_characters = 0;
  language.fineweb.max_short_line_ratio = 999;  // off
  language.fineweb.max_duplicate_line_characters = 0.1;
  return language;
}

FineWeb2Language FromRow(std::string_view row) {
  const std::vector<std::string_view> fields = Split(row, '\t');
  FineWeb2Language language = Common(std::string(fields[0]));
  size_t next = 1;
  const auto number = [&] {
    double value = 0;
    const std::string_view field = fields[next++];
    std::from_chars(field.data(), field.data() + field.size(), value);
    return value;
  };
  language.language_score = number();
  language.repetition.max_duplicate_lines = number();
  language.fineweb.min_line_punctuation_ratio = number();
  language.quality.min_mean_word_length = number();
  language.quality.max_mean_word_length = number();
  language.quality.min_alpha_word_ratio = number();
  language.fineweb.max_line_ends_per_word = number();
  for (double& top : language.repetition.max_top_ngram) top = number();
  for (double& duplicate : language.repetition.max_duplicate_ngrams) duplicate = number();
  std::vector<std::string> words(fields.begin() + static_cast<ptrdiff_t>(next), fields.end());
  language.stop_words = StopWords(std::move(words));
  return language;
}

// FineWeb's own for English: FineWeb-2 begins with the other languages.
FineWeb2Language English() {
  FineWeb2Language language;
  language.code = "eng_Latn";
  language.repetition = ReferenceRepetition();
  language.quality = ReferenceQuality();
  language.stop_words = *FindStopWords("en");
  return language;
}

using Table = std::map<std::string, FineWeb2Language, std::less<>>;

// By the code of the table and by the code that documents have.
struct Index {
  Table languages;
  std::map<std::string, const FineWeb2Language*, std::less<>> by_document_code;
};

const Index& TheIndex() {
  static const Index* const index = [] {
    auto* made = new Index;
    for (size_t i = 0; i < kFineWeb2RowCount; ++i) {
      FineWeb2Language language = FromRow(kFineWeb2Rows[i]);
      std::string code = language.code;
      made->languages.emplace(std::move(code), std::move(language));
    }
    made->languages.emplace("eng_Latn", English());
    for (const auto& [code, language] : made->languages) {
      const absl::StatusOr<std::string> document_code = ParseLanguageCode(code);
      if (document_code.ok()) made->by_document_code.emplace(*document_code, &language);
    }
    // Languages of which FineWeb-2 has none in the script that is usual: "zh-Hani" is "zh", too.
    const auto codes = made->by_document_code;
    for (const auto& [code, language] : codes) {
      made->by_document_code.emplace(code.substr(0, code.find('-')), language);
    }
    return made;
  }();
  return *index;
}

}  // namespace

const FineWeb2Language* FindFineWeb2Language(std::string_view language) {
  const Index& index = TheIndex();
  if (language == "no") language = "nb";  // FineWeb-2 has the two written languages
  const auto exact = index.languages.find(language);
  if (exact != index.languages.end()) return &exact->second;
  auto found = index.by_document_code.find(language);
  if (found == index.by_document_code.end()) {
    found = index.by_document_code.find(language.substr(0, language.find('-')));
  }
  return found == index.by_document_code.end() ? nullptr : found->second;
}

std::vector<std::string> FineWeb2Languages() {
  std::vector<std::string> codes;
  for (const auto& [code, language] : TheIndex().languages) codes.push_back(code);
  return codes;
}

void FineWeb2Settings::ApplyTo(RepetitionSettings& repetition, FineWebQualitySettings& fineweb,
                               QualitySettings& quality) const {
  const auto set = [](double own, double& value) {
    if (!std::isnan(own)) value = own;
  };
  const auto set_count = [](double own, uint64_t& value) {
    if (!std::isnan(own)) value = static_cast<uint64_t>(std::clamp(own, 0.0, 1e15));
  };
  set(max_duplicate_lines, repetition.max_duplicate_lines);
  set(max_top_2_gram, repetition.max_top_ngram[0]);
  set(max_top_3_gram, repetition.max_top_ngram[1]);
  set(max_top_4_gram, repetition.max_top_ngram[2]);
  set(max_duplicate_5_grams, repetition.max_duplicate_ngrams[0]);
  set(max_duplicate_6_grams, repetition.max_duplicate_ngrams[1]);
  set(max_duplicate_7_grams, repetition.max_duplicate_ngrams[2]);
  set(max_duplicate_8_grams, repetition.max_duplicate_ngrams[3]);
  set(max_duplicate_9_grams, repetition.max_duplicate_ngrams[4]);
  set(max_duplicate_10_grams, repetition.max_duplicate_ngrams[5]);
  set(min_line_punctuation_ratio, fineweb.min_line_punctuation_ratio);
  set(max_duplicate_line_characters, fineweb.max_duplicate_line_characters);
  set(max_line_ends_per_word, fineweb.max_line_ends_per_word);
  set_count(min_words, quality.min_words);
  set_count(max_words, quality.max_words);
  set(min_mean_word_length, quality.min_mean_word_length);
  set(max_mean_word_length, quality.max_mean_word_length);
  set(max_symbol_word_ratio, quality.max_symbol_word_ratio);
  set(max_bullet_line_ratio, quality.max_bullet_line_ratio);
  set(max_ellipsis_line_ratio, quality.max_ellipsis_line_ratio);
  set(min_alpha_word_ratio, quality.min_alpha_word_ratio);
  set_count(min_stop_words, quality.min_stop_words);
}

}  // namespace rhodes
