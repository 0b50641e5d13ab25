// Any bytes as a language model: a clear error, or a model that gives probabilities between 0 and 1.00001 to any text.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "curate/language_model.h"

namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<rhodes::LanguageModel> model = rhodes::LanguageModel::Parse(bytes, "file");
  if (!model.ok()) {
    Require(rhodes::ExitCodeOf(model.status()) == rhodes::ExitCode::kUsage);
    return 0;
  }
  rhodes::FastTextScratch scratch;
  std::vector<float> probabilities;
  const std::string_view end = bytes.substr(size - std::min<size_t>(size, 300));
  for (const std::string_view text :
       {std::string_view("the dog</s> sleeps"), std::string_view(), end, bytes.substr(64, 4096)}) {
    const rhodes::FastTextGuess all = model->classifier().All(text, scratch, probabilities);
    const rhodes::FastTextGuess best = model->classifier().Best(text, scratch);
    Require(best.label == all.label);
    if (best.label == rhodes::FastTextGuess::kNone) continue;
    Require(best.label < model->labels().size());
    Require(best.probability == all.probability);
    Require(best.probability >= 0 && best.probability < 1.0001F);
    Require(probabilities[best.label] == best.probability);
  }
  return 0;
}
