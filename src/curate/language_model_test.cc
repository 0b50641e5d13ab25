#include "curate/language_model.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstring>

#include "base/file.h"
#include "base/json.h"
#include "curate/fasttext_tree.h"

namespace rhodes {
namespace {

using Clock = std::chrono::steady_clock;

const std::string kDirectory = std::string(RHODES_SOURCE_DIR) + "/src/curate/testdata/language_model/";

std::string Bytes(const std::string& name) {
  absl::StatusOr<std::string> bytes = ReadFile(kDirectory + name);
  EXPECT_TRUE(bytes.ok()) << bytes.status();
  return bytes.ok() ? *std::move(bytes) : "";
}

LanguageModel Model(const std::string& name) {
  absl::StatusOr<LanguageModel> model = LanguageModel::Load(kDirectory + name);
  EXPECT_TRUE(model.ok()) << model.status();
  return *std::move(model);
}

// goldens.json is what fastText 0.9.2 said; bench/peers/fasttext_goldens.py made it and the models.
Json Goldens() {
  absl::StatusOr<Json> goldens = ParseJson(Bytes("goldens.json"), "goldens.json");
  EXPECT_TRUE(goldens.ok()) << goldens.status();
  return *std::move(goldens);
}

TEST(LanguageModelTest, EveryKindOfModelGivesFastTextsLabelsAndProbabilities) {
  const Json goldens = Goldens();
  ASSERT_EQ(goldens.at("models").size(), 11U);
  FastTextScratch scratch;  // one for all models, as a thread has it
  for (const auto& [name, answers] : goldens.at("models").items()) {
    const LanguageModel model = Model(name);
    for (size_t i = 0; i < answers.size(); ++i) {
      const auto text = goldens.at("texts")[i].get<std::string>();
      const Json& answer = answers[i];
      std::vector<float> probabilities;
      const FastTextGuess all = model.classifier().All(text, scratch, probabilities);
      const FastTextGuess best = model.classifier().Best(text, scratch);
      EXPECT_EQ(best.label, all.label) << name << " text " << i;
      if (answer.empty()) {
        EXPECT_EQ(best.label, FastTextGuess::kNone) << name << " text " << i;
        continue;
      }
      ASSERT_NE(best.label, FastTextGuess::kNone) << name << " text " << i;
      double greatest = 0;
      for (const auto& [label, probability] : answer.items()) {
        greatest = std::max(greatest, probability.get<double>());
        const auto at = std::find(model.labels().begin(), model.labels().end(), label) - model.labels().begin();
        EXPECT_NEAR(probabilities[static_cast<size_t>(at)], probability.get<double>(), 1e-6)
            << name << " text " << i << " label " << label;
      }
      EXPECT_NEAR(best.probability, greatest, 1e-6) << name << " text " << i;
      EXPECT_NEAR(answer.value(model.labels()[best.label], 0.0), greatest, 1e-6) << name << " text " << i;
    }
  }
}

TEST(LanguageModelTest, LongWordsOfTheDictionaryCanBeAnyNumber) {
  // As many rows as fit at once were not reckoned with when none of the words had n-grams.
  const std::string word = "donaudampfschifffahrtsgesellschaft ";
  std::string text;
  for (int i = 0; i < 3000; ++i) text += word;
  FastTextScratch scratch;
  for (const char* name : {"softmax_words.bin", "hs_word_ngrams.bin", "softmax_ngrams.bin"}) {
    const LanguageModel model = Model(name);
    const FastTextGuess guess = model.classifier().Best(text, scratch);
    ASSERT_NE(guess.label, FastTextGuess::kNone) << name;
    EXPECT_EQ(model.codes()[guess.label], "de") << name;
    EXPECT_EQ(guess.word_bytes, 3000 * (word.size() - 1));
  }
}

}  // namespace
}  // namespace rhodes
