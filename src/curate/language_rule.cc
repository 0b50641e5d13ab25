#include "curate/language_rule.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/json.h"
#include "curate/language.h"
#include "curate/language_paragraphs.h"
#include "curate/language_settings.h"

namespace rhodes {
namespace {

// datatrove's LanguageFilter, language_threshold.
constexpr double kReferenceConfidence = 0.65;

class LanguageRule {
 public:
  LanguageRule(Document& document, const LanguageSettings& settings, const LanguageModel* model, bool datatrove,
               LanguageScratch& scratch, std::vector<Measure>* measures)
      : document_(document),
        settings_(settings),
        model_(model),
        reference_(datatrove && model != nullptr),
        scratch_(scratch),
        measures_(measures) {}

  LanguageFinding Judge(std::vector<size_t>* marks) {
    if (settings_.per_paragraph && !LookAtParagraphs(marks)) return std::move(finding_);
    if (reference_) {
      JudgeAsReference();
    } else {
      JudgeByDecision(DecideLanguage(document_.language, Detect()));
    }
    return std::move(finding_);
  }

 private:
  // False when the document is dropped for having none that is wanted.
  bool LookAtParagraphs(std::vector<size_t>* marks) {
    const std::vector<LanguageParagraph> paragraphs = FindLanguageParagraphs(document_.text, model_, scratch_.fasttext);
    const std::vector<std::pair<std::string, double>> shares = LanguageShares(paragraphs);
    std::string list;
    for (const auto& [code, share] : shares) {
      list += fmt::format("{}{}:{}", list.empty() ? "" : ",", DumpJson(Json(code)), share);
    }
    AddMeta(fmt::format("\"languages\":{{{}}}", list));
    if (!settings_.drop_paragraphs || settings_.wanted == "auto") return true;
    const bool any = std::any_of(shares.begin(), shares.end(), [&](const auto& share) {
      return share.first == "und" || SameLanguage(share.first, settings_.wanted);
    });
    if (!any && !shares.empty()) {  // the text stays whole, for whoever looks at what was dropped
      document_.language = shares.front().first;
      finding_.verdict = {"language", "other_language", shares.front().first};
      return false;
    }
    DropOtherLanguages(paragraphs, settings_.wanted, document_.text, marks);
    return true;
  }

  DetectedLanguage Detect() {
    if (model_ == nullptr) return DetectLanguage(document_.text);
    const FastTextGuess guess = model_->classifier().Best(LookedAt(), scratch_.fasttext);
    DetectedLanguage detected;
    detected.code = CodeOf(guess);
    detected.letters = static_cast<int>(std::min<uint64_t>(guess.word_bytes, INT32_MAX));
    if (detected.code == "und") return detected;
    detected.confidence = Probability(std::min(guess.probability, 1.0F));
    detected.reliable = true;
    return detected;
  }

  std::string_view LookedAt() {
    if (settings_.model_bytes == 0 || document_.text.size() <= settings_.model_bytes) return document_.text;
    sample_.clear();
    for (const std::string_view piece : SamplePieces(document_.text, settings_.model_bytes)) {
      sample_ += piece;
      sample_ += '\n';
    }
    return sample_;
  }

  std::string CodeOf(const FastTextGuess& guess) const {
    return guess.label == FastTextGuess::kNone ? "und" : model_->codes()[guess.label];
  }

  // Single precision has no more digits to show.
  static double Probability(float probability) { return std::round(1e7 * static_cast<double>(probability)) / 1e7; }

  void JudgeByDecision(const LanguageDecision& decision) {
    AddMeta(fmt::format("\"language_confidence\":{}", decision.confidence));
    if (decision.overruled) AddStated();
    document_.language = decision.code;
    const double least = LeastConfidence();
    // Text too short or too strange to tell is not known to be another language.
    const bool other =
        settings_.wanted != "auto" && decision.code != "und" && !SameLanguage(decision.code, settings_.wanted);
    if (other) finding_.verdict = {"language", "other_language", decision.code};
    TakeConfidence(decision.confidence, least, decision.confidence < least);
  }

  void JudgeAsReference() {
    const FastTextGuess guess = model_->classifier().All(LookedAt(), scratch_.fasttext, scratch_.probabilities);
    const std::string code = CodeOf(guess);
    AddMeta(fmt::format("\"language_confidence\":{}", Probability(guess.probability)));
    if (guess.label != FastTextGuess::kNone) {
      AddMeta("\"language_label\":" + DumpJson(Json(model_->labels()[guess.label])));
    }
    if (!document_.language.empty() && !SameLanguage(document_.language, code)) AddStated();
    document_.language = code;
    float probability = guess.probability;
    if (settings_.wanted != "auto") {
      probability = 0;
      for (const uint32_t label : model_->LabelsOf(settings_.wanted)) {
        probability = std::max(probability, scratch_.probabilities[label]);
      }
    }
    const double least = LeastConfidence();
    const bool dropped = !(static_cast<double>(probability) > least);
    if (dropped && settings_.wanted != "auto" && !SameLanguage(code, settings_.wanted)) {
      finding_.verdict = {"language", "other_language", code};
    }
    TakeConfidence(probability, least, dropped);
  }

  // For the document's language.
  double LeastConfidence() const {
    if (settings_.fineweb2_confidence && model_ != nullptr) {
      const FineWeb2Language* const language = FindFineWeb2Language(document_.language);
      if (language != nullptr && language->language_score > 0) return language->language_score;
    }
    if (!std::isnan(settings_.min_confidence)) return settings_.min_confidence;
    return reference_ ? kReferenceConfidence : 0;
  }

  void TakeConfidence(double confidence, double least, bool dropped) {
    if (measures_ != nullptr) measures_->push_back({"language", "low_confidence", confidence, least, dropped});
    if (dropped && finding_.verdict.kept()) finding_.verdict = {"language", "low_confidence", document_.language};
  }

  void AddStated() { AddMeta("\"language_stated\":" + DumpJson(Json(document_.language))); }
  void AddMeta(const std::string& member) {
    if (!finding_.meta.empty()) finding_.meta += ',';
    finding_.meta += member;
  }

  Document& document_;
  const LanguageSettings& settings_;
  const LanguageModel* model_;
  bool reference_;
  LanguageScratch& scratch_;
  std::vector<Measure>* measures_;
  std::string sample_;
  LanguageFinding finding_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<const LanguageModel>> LoadLanguageModel(const LanguageSettings& settings) {
  if (settings.drop_paragraphs && (!settings.per_paragraph || settings.wanted == "auto")) {
    return UsageError("language.drop_paragraphs needs language.per_paragraph, and the language whose paragraphs stay");
  }
  if (settings.fineweb2_confidence && settings.model.empty()) {
    return UsageError("language.fineweb2_confidence needs language.model: FineWeb-2's figures are those of GlotLID");
  }
  if (settings.model.empty()) return std::shared_ptr<const LanguageModel>();
  ASSIGN_OR_RETURN(LanguageModel model, LanguageModel::Load(settings.model));
  if (settings.wanted != "auto" && model.LabelsOf(settings.wanted).empty()) {
    return UsageError(
        fmt::format("language model {}: it does not know the language {}, so that no document would be kept",
                    settings.model, settings.wanted));
  }
  return std::make_shared<const LanguageModel>(std::move(model));
}

LanguageFinding JudgeLanguage(Document& document, const LanguageSettings& settings, const LanguageModel* model,
                              bool datatrove, std::vector<size_t>* marks, LanguageScratch& scratch,
                              std::vector<Measure>* measures) {
  return LanguageRule(document, settings, model, datatrove, scratch, measures).Judge(marks);
}

}  // namespace rhodes
