#include "curate/language_model.h"

#include <algorithm>

#include "base/file.h"
#include "curate/language.h"

namespace rhodes {
namespace {

constexpr std::string_view kPrefix = "__label__";

}  // namespace

absl::StatusOr<LanguageModel> LanguageModel::Load(const std::string& path) {
  const absl::StatusOr<MappedFile> file = MappedFile::Open(path);
  if (!file.ok()) return UsageError(fmt::format("language model {}: {}", path, Message(file.status())));
  return Parse(file->bytes(), path);
}

absl::StatusOr<LanguageModel> LanguageModel::Parse(std::string_view bytes, std::string_view name) {
  ASSIGN_OR_RETURN(FastTextClassifier classifier, FastTextClassifier::Parse(bytes, name));
  LanguageModel model(std::move(classifier));
  for (uint32_t i = 0; i < model.classifier_.label_count(); ++i) {
    std::string_view label = model.classifier_.label(i);
    if (label.starts_with(kPrefix)) label.remove_prefix(kPrefix.size());
    model.labels_.emplace_back(label);
    absl::StatusOr<std::string> code = ParseLanguageCode(label);
    const bool known = code.ok() && *code != "auto" && !SameLanguage(*code, "und");
    model.codes_.push_back(known ? *std::move(code) : "und");
  }
  const auto is_language = [](const std::string& code) { return code != "und"; };
  if (std::none_of(model.codes_.begin(), model.codes_.end(), is_language)) {
    return UsageError(fmt::format("language model {}: none of its {} labels is a language (the first is \"{}\")", name,
                                  model.labels_.size(), model.labels_.front()));
  }
  return model;
}

std::vector<uint32_t> LanguageModel::LabelsOf(std::string_view code) const {
  std::vector<uint32_t> exact;
  std::vector<uint32_t> same;
  for (uint32_t i = 0; i < codes_.size(); ++i) {
    if (codes_[i] == code) exact.push_back(i);
    if (SameLanguage(codes_[i], code)) same.push_back(i);
  }
  return exact.empty() ? same : exact;
}

}  // namespace rhodes
