#include "curate/settings.h"

#include <algorithm>
#include <charconv>

#include <fmt/ranges.h>

#include "base/text.h"

namespace rhodes {
namespace {

std::string DidYouMean(std::string_view word, const std::vector<std::string>& known) {
  const std::string nearest = Nearest(word, known);
  return nearest.empty() ? "" : fmt::format("; did you mean \"{}\"?", nearest);
}

template <typename Number>
bool ParseNumber(std::string_view text, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

const std::vector<std::string>& KnownRules() {
  static const auto* const rules =
      new std::vector<std::string>{"normalise", "language", "quality", "repetition", "pii", "overlap", "exact"};
  return *rules;
}

const std::vector<std::string>& DefaultRules() {
  static const auto* const rules =
      new std::vector<std::string>{"normalise", "language", "quality", "repetition", "exact"};
  return *rules;
}

bool CurateSettings::Has(std::string_view rule) const {
  return std::find(rules.begin(), rules.end(), rule) != rules.end();
}

std::vector<NamedSetting> NamedSettings(CurateSettings& settings) {
  QualitySettings& quality = settings.quality;
  RepetitionSettings& repetition = settings.repetition;
  std::vector<NamedSetting> named = {
      {"normalise.arabic_letters", &settings.normalise.arabic_letters},
      {"language.min_confidence", &settings.language.min_confidence},
      {"quality.min_words", &quality.min_words},
      {"quality.max_words", &quality.max_words},
      {"quality.min_mean_word_length", &quality.min_mean_word_length},
      {"quality.max_mean_word_length", &quality.max_mean_word_length},
      {"quality.max_symbol_word_ratio", &quality.max_symbol_word_ratio},
      {"quality.max_bullet_line_ratio", &quality.max_bullet_line_ratio},
      {"quality.max_ellipsis_line_ratio", &quality.max_ellipsis_line_ratio},
      {"quality.min_alpha_word_ratio", &quality.min_alpha_word_ratio},
      {"quality.min_stop_words", &quality.min_stop_words},
      {"quality.stop_words_from", &quality.stop_words_from},
      {"repetition.max_duplicate_paragraphs", &repetition.max_duplicate_paragraphs},
      {"repetition.max_duplicate_paragraph_characters", &repetition.max_duplicate_paragraph_characters},
      {"repetition.max_duplicate_lines", &repetition.max_duplicate_lines},
      {"repetition.max_duplicate_line_characters", &repetition.max_duplicate_line_characters},
      {"repetition.min_top_ngram_count", &repetition.min_top_ngram_count},
      {"pii.email", &settings.pii.email},
      {"pii.phone", &settings.pii.phone},
      {"pii.card", &settings.pii.card},
      {"pii.iban", &settings.pii.iban},
      {"pii.ip", &settings.pii.ip},
      {"pii.national_id", &settings.pii.national_id},
      {"pii.secret", &settings.pii.secret},
      {"pii.vin", &settings.pii.vin},
      {"pii.drop", &settings.pii.drop},
      {"overlap.words", &settings.overlap.words},
      {"overlap.min_ngrams", &settings.overlap.min_ngrams},
      {"overlap.min_share", &settings.overlap.min_share},
      {"overlap.drop", &settings.overlap.drop}};
  for (size_t n = 2; n <= 4; ++n) {
    named.push_back({fmt::format("repetition.max_top_{}_gram", n), &repetition.max_top_ngram[n - 2]});
  }
  for (size_t n = 5; n <= 10; ++n) {
    named.push_back({fmt::format("repetition.max_duplicate_{}_grams", n), &repetition.max_duplicate_ngrams[n - 5]});
  }
  return named;
}

absl::Status SetByName(std::string_view assignment, CurateSettings& settings) {
  const size_t equals = assignment.find('=');
  const std::string_view name = assignment.substr(0, equals);
  const std::string_view value = equals == std::string_view::npos ? "" : assignment.substr(equals + 1);
  std::vector<std::string> known;
  for (const NamedSetting& setting : NamedSettings(settings)) {
    known.push_back(setting.name);
    if (setting.name != name) continue;
    bool valid = false;
    if (bool* const* flag = std::get_if<bool*>(&setting.value)) {
      valid = value == "true" || value == "false";
      **flag = value == "true";
    } else if (uint64_t* const* count = std::get_if<uint64_t*>(&setting.value)) {
      valid = ParseNumber(value, **count);
    } else {
      valid = ParseNumber(value, *std::get<double*>(setting.value));
    }
    if (valid) return absl::OkStatus();
    return UsageError(fmt::format("setting {}: \"{}\" is not a value it can have", name, value));
  }
  return UsageError(fmt::format("curate has no setting \"{}\"{}", name, DidYouMean(name, known)));
}

absl::StatusOr<std::vector<std::string>> ParseRules(const std::vector<std::string>& names) {
  const std::vector<std::string>& known = KnownRules();
  for (const std::string& name : names) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return UsageError(
          fmt::format("unknown rule \"{}\"{} (known: {})", name, DidYouMean(name, known), fmt::join(known, ", ")));
    }
  }
  std::vector<std::string> ordered;
  for (const std::string& rule : known) {
    if (std::find(names.begin(), names.end(), rule) != names.end()) ordered.push_back(rule);
  }
  return ordered;
}

Json ToJson(const CurateSettings& settings) {
  Json json = {{"rules", settings.rules}, {"sample", settings.sample}, {"language", settings.language.wanted}};
  if (settings.Has("overlap")) json["overlap.sets"] = settings.overlap.sets;
  CurateSettings copy = settings;
  for (const NamedSetting& setting : NamedSettings(copy)) {
    std::visit([&](const auto* value) { json[setting.name] = *value; }, setting.value);
  }
  return json;
}

}  // namespace rhodes
