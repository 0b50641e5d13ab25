// Which language a text is in, by a fastText classifier whose labels are languages: lid.176 (Joulin et al. 2016),
// GlotLID (Kargaran et al. 2023), OpenLID (Burchell et al. 2023) and their kind.
#ifndef RHODES_CURATE_LANGUAGE_MODEL_H_
#define RHODES_CURATE_LANGUAGE_MODEL_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "curate/fasttext_classifier.h"

namespace rhodes {

// Immutable: thread-safe.
class LanguageModel {
 public:
  // UsageError for a file that cannot be read, is no whole classifier (curate/fasttext_file.h), or none of whose labels
  // is a language.
  static absl::StatusOr<LanguageModel> Load(const std::string& path);
  static absl::StatusOr<LanguageModel> Parse(std::string_view bytes, std::string_view name);

  const FastTextClassifier& classifier() const { return classifier_; }
  // Of each of its labels: as in the file without "__label__" ("en", "eng_Latn"), and BCP 47 as ParseLanguageCode()
  // makes it ("en"); "und" for a label that is no language.
  const std::vector<std::string>& labels() const { return labels_; }
  const std::vector<std::string>& codes() const { return codes_; }
  // The labels that `code` stands for: those whose code it is, or if there is none, those of the same language.
  std::vector<uint32_t> LabelsOf(std::string_view code) const;

 private:
  explicit LanguageModel(FastTextClassifier classifier) : classifier_(std::move(classifier)) {}

  FastTextClassifier classifier_;
  std::vector<std::string> labels_;
  std::vector<std::string> codes_;
};

}  // namespace rhodes

#endif  // RHODES_CURATE_LANGUAGE_MODEL_H_
