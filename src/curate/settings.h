// What curation does, by names that the project file, the command line and the manifest share.
#ifndef RHODES_CURATE_SETTINGS_H_
#define RHODES_CURATE_SETTINGS_H_

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "base/status.h"
#include "curate/normalise.h"
#include "curate/overlap.h"
#include "curate/personal_data.h"
#include "curate/quality.h"
#include "curate/repetition.h"

namespace rhodes {

// In the order in which they are applied; the first that drops a document names the reason.
const std::vector<std::string>& KnownRules();
// Those applied when none are named: all but "pii" and "overlap".
const std::vector<std::string>& DefaultRules();

struct LanguageSettings {
  // "auto": every language is kept. A code: documents in other languages are dropped.
  std::string wanted = "auto";
  // Documents whose language is less sure are dropped; 0: none. Stated languages that CLD2 does not confirm count as 0.
  double min_confidence = 0;
};

struct CurateSettings {
  std::vector<std::string> rules = DefaultRules();
  double sample = 1;  // share of the documents that is looked at, chosen by a hash of the id
  LanguageSettings language;
  NormaliseSettings normalise;
  QualitySettings quality;
  RepetitionSettings repetition;
  PersonalDataSettings pii;
  OverlapSettings overlap;
  std::shared_ptr<const OverlapIndex> overlap_index;  // of `overlap`, loaded by Curate() for the rule "overlap"

  bool Has(std::string_view rule) const;
};

// A setting by its dotted name, such as "quality.min_words".
struct NamedSetting {
  std::string name;
  std::variant<bool*, uint64_t*, double*> value;
};
// All thresholds and switches of `settings`; they point into it.
std::vector<NamedSetting> NamedSettings(CurateSettings& settings);

// Sets "quality.min_words=5". UsageError for an unknown name (with the nearest known one) or a value that is no number.
absl::Status SetByName(std::string_view assignment, CurateSettings& settings);
// Checks names (UsageError with the nearest known one) and puts them into the order of application.
absl::StatusOr<std::vector<std::string>> ParseRules(const std::vector<std::string>& names);

// For manifest and key: everything that decides the output.
Json ToJson(const CurateSettings& settings);

}  // namespace rhodes

#endif  // RHODES_CURATE_SETTINGS_H_
