// Rule "language": which language a document is in, and whether that is the one that was asked for.
#ifndef RHODES_CURATE_LANGUAGE_RULE_H_
#define RHODES_CURATE_LANGUAGE_RULE_H_

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "curate/language_model.h"
#include "curate/verdict.h"
#include "record/record.h"

namespace rhodes {

struct LanguageSettings {
  static constexpr double kOwn = std::numeric_limits<double>::quiet_NaN();

  // "auto": every language is kept. A code: documents in other languages are dropped.
  std::string wanted = "auto";
  // Documents whose language is less sure are dropped; 0: none. Stated languages that CLD2 does not confirm count as 0.
  // kOwn: 0; the reference's 0.65 with a model in compatibility with datatrove.
  double min_confidence = kOwn;
  std::string model;                 // file of a fastText model that names the language; empty: CLD2 does
  uint64_t model_bytes = 0;          // of the text that the model looks at (begin, middle and end); 0: all
  bool fineweb2_confidence = false;  // min_confidence is what FineWeb-2 asks of GlotLID for the language, if it says
  bool per_paragraph = false;        // the languages of the paragraphs go into the meta, as `languages`
  bool drop_paragraphs = false;      // with per_paragraph: those in other languages than the wanted one are dropped
};

// The model that `settings` names; null when they name none. UsageError for a file that is no language model, one that
// does not know the wanted language, and settings that do not go together.
absl::StatusOr<std::shared_ptr<const LanguageModel>> LoadLanguageModel(const LanguageSettings& settings);

struct LanguageScratch {
  FastTextScratch fasttext;
  std::vector<float> probabilities;
};

struct LanguageFinding {
  Verdict verdict;
  std::string meta;  // members of a JSON object
};

// Sets the document's language, and with `drop_paragraphs` its text, whose `marks` (ascending byte offsets, may be
// null) move with it. `model` may be null. With `datatrove`, and a model, as datatrove's LanguageFilter does: the
// model's answer counts whatever the source states, and a document is kept when the wanted language's probability (or
// the best one's, if none is wanted) is above the least. `measures` may be null. Linear in the text. Thread-safe for
// distinct `scratch`.
LanguageFinding JudgeLanguage(Document& document, const LanguageSettings& settings, const LanguageModel* model,
                              bool datatrove, std::vector<size_t>* marks, LanguageScratch& scratch,
                              std::vector<Measure>* measures);

}  // namespace rhodes

#endif  // RHODES_CURATE_LANGUAGE_RULE_H_
