// What curation does, by names that the project file, the command line and the manifest share.
#ifndef RHODES_CURATE_SETTINGS_H_
#define RHODES_CURATE_SETTINGS_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/json.h"
#include "base/status.h"
#include "curate/c4_paragraph.h"
#include "curate/c4_quality.h"
#include "curate/fineweb_quality.h"
#include "curate/language_rule.h"
#include "curate/language_settings.h"
#include "curate/normalise.h"
#include "curate/overlap.h"
#include "curate/personal_data.h"
#include "curate/quality.h"
#include "curate/repetition.h"

namespace rhodes {

// In the order in which they are applied; the first that drops a document names the reason.
const std::vector<std::string>& KnownRules();
// Those that are on when none are named: the rules for documents made from records. They judge more mildly than the
// reference's rules, which are made for web pages.
const std::vector<std::string>& DefaultRules();

// The thresholds of the rules that look at the text of one document.
struct RuleSettings {
  QualitySettings quality;        // of the rule "quality": thresholds for documents made from records
  RepetitionSettings repetition;  // of the rule "repetition"
  QualitySettings gopher_quality = ReferenceQuality();
  RepetitionSettings gopher_repetition = ReferenceRepetition();
  C4QualitySettings c4_quality;
  C4ParagraphSettings c4_paragraph;
  FineWebQualitySettings fineweb_quality;
  FineWeb2Settings fineweb2;
};

// Rules that compare documents (curate/comparison.h).
struct NearRuleSettings {
  double similarity = 0.72;  // least Jaccard similarity over shingles of five words that makes a duplicate
};
struct SubstringRuleSettings {
  uint64_t min_tokens = 50;       // words in a row that another document has
  double drop_above = 1;          // share of repeated words beyond which the document goes as a whole
  bool within_documents = false;  // repeats within one document count too
};

struct CurateSettings : RuleSettings {
  std::vector<std::string> rules = DefaultRules();
  double sample = 1;  // share of the documents that is looked at, chosen by a hash of the id
  LanguageSettings language;
  std::shared_ptr<const LanguageModel> language_model;  // that `language` names, loaded by Curate(); null: CLD2
  NormaliseSettings normalise;
  PersonalDataSettings pii;
  OverlapSettings overlap;
  std::shared_ptr<const OverlapIndex> overlap_index;  // of `overlap`, loaded by PrepareRules() for the rule "overlap"
  NearRuleSettings near;
  SubstringRuleSettings substring;
  // Of copies in several sources, the one of the source named first stays; sources that are not named come after all
  // that are. Empty: the copy that is read first.
  std::vector<std::string> source_priority;
  // Words as datatrove 0.10 splits them (spaCy's rules), so that verdicts equal its own.
  bool datatrove_compatibility = false;
  // Thresholds of single languages, by language code (ParseLanguageCode), each a name without the language and a value
  // in the order they were set. Change them with SetByName only, after the thresholds that hold for all languages.
  std::map<std::string, std::vector<std::pair<std::string, std::string>>> language_assignments;
  std::map<std::string, RuleSettings> by_language;  // what comes of those

  bool Has(std::string_view rule) const;
  // The thresholds for documents in `language_code`: those of that language, or of its first part ("ar" for "ar-EG"),
  // or the ones for all.
  const RuleSettings& For(std::string_view language_code) const;
};

// A setting by its dotted name, such as "quality.min_words".
struct NamedSetting {
  std::string name;
  // Lists: names with commas between.
  std::variant<bool*, uint64_t*, double*, std::string*, std::vector<std::string>*> value;
  bool may_be_empty = false;  // of a text
};
// All thresholds and switches of `settings`; they point into it.
std::vector<NamedSetting> NamedSettings(CurateSettings& settings);

// Sets "gopher-quality.min_words=30", or for one language "arb_Arab:gopher-quality.min_words=30". UsageError for an
// unknown name (with the nearest known one) or a value that is no number.
absl::Status SetByName(std::string_view assignment, CurateSettings& settings);
// Checks names (UsageError with the nearest known one) and puts them into the order of application.
absl::StatusOr<std::vector<std::string>> ParseRules(const std::vector<std::string>& names);

// For manifest and key: everything that decides the output.
Json ToJson(const CurateSettings& settings);

}  // namespace rhodes

#endif  // RHODES_CURATE_SETTINGS_H_
