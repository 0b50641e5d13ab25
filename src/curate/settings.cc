#include "curate/settings.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/ranges.h>

#include "base/text.h"
#include "curate/language.h"

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

void AddQuality(const std::string& rule, QualitySettings& quality, std::vector<NamedSetting>& named) {
  const auto add = [&](const char* name, auto* value) { named.push_back({rule + "." + name, value}); };
  add("min_words", &quality.min_words);
  add("max_words", &quality.max_words);
  add("min_mean_word_length", &quality.min_mean_word_length);
  add("max_mean_word_length", &quality.max_mean_word_length);
  add("max_symbol_word_ratio", &quality.max_symbol_word_ratio);
  add("max_bullet_line_ratio", &quality.max_bullet_line_ratio);
  add("max_ellipsis_line_ratio", &quality.max_ellipsis_line_ratio);
  add("min_alpha_word_ratio", &quality.min_alpha_word_ratio);
  add("min_stop_words", &quality.min_stop_words);
  add("stop_words_from", &quality.stop_words_from);
}

void AddRepetition(const std::string& rule, RepetitionSettings& repetition, std::vector<NamedSetting>& named) {
  const auto add = [&](const std::string& name, auto* value) { named.push_back({rule + "." + name, value}); };
  add("max_duplicate_paragraphs", &repetition.max_duplicate_paragraphs);
  add("max_duplicate_paragraph_characters", &repetition.max_duplicate_paragraph_characters);
  add("max_duplicate_lines", &repetition.max_duplicate_lines);
  add("max_duplicate_line_characters", &repetition.max_duplicate_line_characters);
  add("min_top_ngram_count", &repetition.min_top_ngram_count);
  for (size_t n = 2; n <= 4; ++n) add(fmt::format("max_top_{}_gram", n), &repetition.max_top_ngram[n - 2]);
  for (size_t n = 5; n <= 10; ++n)
    add(fmt::format("max_duplicate_{}_grams", n), &repetition.max_duplicate_ngrams[n - 5]);
}

void AddWebRules(RuleSettings& settings, std::vector<NamedSetting>& named) {
  C4QualitySettings& c4 = settings.c4_quality;
  C4ParagraphSettings& paragraph = settings.c4_paragraph;
  FineWebQualitySettings& fineweb = settings.fineweb_quality;
  named.insert(named.end(), {{"c4-quality.remove_citations", &c4.remove_citations},
                             {"c4-quality.require_end_punctuation", &c4.require_end_punctuation},
                             {"c4-quality.min_sentences", &c4.min_sentences},
                             {"c4-quality.min_words_per_line", &c4.min_words_per_line},
                             {"c4-quality.max_word_length", &c4.max_word_length},
                             {"c4-quality.drop_lorem_ipsum", &c4.drop_lorem_ipsum},
                             {"c4-quality.cut_javascript", &c4.cut_javascript},
                             {"c4-quality.drop_curly_bracket", &c4.drop_curly_bracket},
                             {"c4-quality.cut_policy", &c4.cut_policy},
                             {"c4-paragraph.min_paragraphs", &paragraph.min_paragraphs},
                             {"c4-paragraph.min_paragraph_length", &paragraph.min_paragraph_length},
                             {"fineweb-quality.min_line_punctuation_ratio", &fineweb.min_line_punctuation_ratio},
                             {"fineweb-quality.max_short_line_ratio", &fineweb.max_short_line_ratio},
                             {"fineweb-quality.short_line_length", &fineweb.short_line_length},
                             {"fineweb-quality.max_duplicate_line_characters", &fineweb.max_duplicate_line_characters},
                             {"fineweb-quality.max_line_ends_per_word", &fineweb.max_line_ends_per_word}});
  settings.fineweb2.ForEach([&](const char* name, double& value) {
    named.push_back({std::string("fineweb2.") + name, &value});
  });
}

// Those that can differ from language to language.
void AddRuleSettings(RuleSettings& settings, std::vector<NamedSetting>& named) {
  AddQuality("quality", settings.quality, named);
  AddRepetition("repetition", settings.repetition, named);
  AddQuality("gopher-quality", settings.gopher_quality, named);
  AddRepetition("gopher-repetition", settings.gopher_repetition, named);
  AddWebRules(settings, named);
}

// "gopher_quality.min_words" in a project file is "gopher-quality.min_words": rules are written with hyphens.
std::string WithHyphens(std::string_view name) {
  std::string hyphened(name);
  std::replace(hyphened.begin(), hyphened.begin() + static_cast<ptrdiff_t>(std::min(name.find('.'), name.size())), '_',
               '-');
  return hyphened;
}

absl::Status SetNamed(std::string_view name, std::string_view value, const std::vector<NamedSetting>& settings) {
  std::vector<std::string> known;
  for (const NamedSetting& setting : settings) {
    known.push_back(setting.name);
    if (setting.name != name) continue;
    bool valid = false;
    if (bool* const* flag = std::get_if<bool*>(&setting.value)) {
      valid = value == "true" || value == "false";
      **flag = value == "true";
    } else if (uint64_t* const* count = std::get_if<uint64_t*>(&setting.value)) {
      valid = ParseNumber(value, **count);
    } else if (double* const* number = std::get_if<double*>(&setting.value)) {
      valid = ParseNumber(value, **number) && !std::isnan(**number);
    } else if (std::string* const* text = std::get_if<std::string*>(&setting.value)) {
      valid = setting.may_be_empty || !value.empty();
      **text = value;
    } else {
      std::vector<std::string>& list = *std::get<std::vector<std::string>*>(setting.value);
      list.clear();
      for (const std::string_view one : Split(value, ',')) {
        if (!Trim(one).empty()) list.emplace_back(Trim(one));
      }
      valid = true;
    }
    if (valid) return absl::OkStatus();
    return UsageError(fmt::format("setting {}: \"{}\" is not a value it can have", name, value));
  }
  // Names of the rule that is meant, when there is such a rule.
  const std::string rule(name.substr(0, name.find('.') + 1));
  std::vector<std::string> of_rule;
  for (const std::string& one : known) {
    if (!rule.empty() && one.starts_with(rule)) of_rule.push_back(one);
  }
  const std::string listed = of_rule.empty() ? "" : fmt::format(" (known: {})", fmt::join(of_rule, ", "));
  return UsageError(fmt::format("curate has no setting \"{}\"{}{}", name, DidYouMean(name, known), listed));
}

}  // namespace

const std::vector<std::string>& KnownRules() {
  // The order of the reference's own pipelines (datatrove, examples/fineweb.py).
  static const auto* const rules = new std::vector<std::string>{
      "normalise",    "language",        "quality",  "repetition", "gopher-repetition", "gopher-quality", "c4-quality",
      "c4-paragraph", "fineweb-quality", "fineweb2", "pii",        "overlap",           "exact",          "near",
      "substring"};
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

const RuleSettings& CurateSettings::For(std::string_view language_code) const {
  if (by_language.empty()) return *this;
  const std::string code(language_code);
  auto found = by_language.find(code);
  if (found == by_language.end()) found = by_language.find(code.substr(0, code.find('-')));
  return found == by_language.end() ? *this : found->second;
}

std::vector<NamedSetting> NamedSettings(CurateSettings& settings) {
  std::vector<NamedSetting> named = {{"normalise.arabic_letters", &settings.normalise.arabic_letters},
                                     {"language.min_confidence", &settings.language.min_confidence},
                                     {"language.model", &settings.language.model},
                                     {"language.model_bytes", &settings.language.model_bytes},
                                     {"language.fineweb2_confidence", &settings.language.fineweb2_confidence},
                                     {"language.per_paragraph", &settings.language.per_paragraph},
                                     {"language.drop_paragraphs", &settings.language.drop_paragraphs},
                                     {"pii.email", &settings.pii.email},
                                     {"pii.phone", &settings.pii.phone},
                                     {"pii.card", &settings.pii.card},
                                     {"pii.iban", &settings.pii.iban},
                                     {"pii.ip", &settings.pii.ip},
                                     {"pii.national_id", &settings.pii.national_id},
                                     {"pii.secret", &settings.pii.secret},
                                     {"pii.vin", &settings.pii.vin},
                                     {"pii.drop", &settings.pii.drop},
                                     {"pii.all_addresses", &settings.pii.all_addresses},
                                     {"pii.placeholder", &settings.pii.placeholder, true},
                                     {"overlap.words", &settings.overlap.words},
                                     {"overlap.min_ngrams", &settings.overlap.min_ngrams},
                                     {"overlap.min_share", &settings.overlap.min_share},
                                     {"overlap.drop", &settings.overlap.drop},
                                     {"overlap.fields", &settings.overlap.fields},
                                     {"overlap.query", &settings.overlap.query},
                                     {"overlap.cut", &settings.overlap.cut},
                                     {"overlap.margin", &settings.overlap.margin},
                                     {"overlap.min_piece", &settings.overlap.min_piece},
                                     {"overlap.max_pieces", &settings.overlap.max_pieces},
                                     {"overlap.query_ngrams", &settings.overlap.query_ngrams},
                                     {"overlap.joined_ngrams", &settings.overlap.joined_ngrams},
                                     {"near.similarity", &settings.near.similarity},
                                     {"substring.min_tokens", &settings.substring.min_tokens},
                                     {"substring.drop_above", &settings.substring.drop_above},
                                     {"substring.within_documents", &settings.substring.within_documents}};
  for (size_t i = 0; i < kPersonalDataKinds; ++i) {
    const std::string_view kind = PersonalDataName(static_cast<PersonalDataKind>(i));
    named.push_back({fmt::format("pii.{}_placeholder", kind), &settings.pii.placeholders[i], true});
  }
  AddRuleSettings(settings, named);
  return named;
}

absl::Status SetByName(std::string_view assignment, CurateSettings& settings) {
  const size_t equals = assignment.find('=');
  std::string_view name = assignment.substr(0, equals);
  const std::string_view value = equals == std::string_view::npos ? "" : assignment.substr(equals + 1);
  const size_t colon = name.find(':');
  if (colon == std::string_view::npos) {
    RETURN_IF_ERROR(SetNamed(WithHyphens(name), value, NamedSettings(settings)));
  } else {
    ASSIGN_OR_RETURN(const std::string language, ParseLanguageCode(name.substr(0, colon)));
    const std::string own_name = WithHyphens(name.substr(colon + 1));
    RuleSettings checked = settings;
    std::vector<NamedSetting> named;
    AddRuleSettings(checked, named);
    RETURN_IF_ERROR(SetNamed(own_name, value, named));
    settings.language_assignments[language].emplace_back(own_name, value);
  }
  settings.by_language.clear();
  for (const auto& [language, assignments] : settings.language_assignments) {
    RuleSettings& own = settings.by_language[language];
    own = settings;
    std::vector<NamedSetting> named;
    AddRuleSettings(own, named);
    for (const auto& [own_name, own_value] : assignments) RETURN_IF_ERROR(SetNamed(own_name, own_value, named));
  }
  return absl::OkStatus();
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
  if (!settings.source_priority.empty()) json["source_priority"] = settings.source_priority;
  if (settings.datatrove_compatibility) json["compatibility"] = "datatrove";
  for (const auto& [language, assignments] : settings.language_assignments) {
    for (const auto& [name, value] : assignments) json["languages"][language][name] = value;
  }
  return json;
}

}  // namespace rhodes
