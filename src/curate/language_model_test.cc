#include "curate/language_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <ctime>
#include <limits>

#include "base/file.h"
#include "base/json.h"
#include "curate/fasttext_tree.h"

namespace rhodes {
namespace {

using ::testing::HasSubstr;

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

std::string ErrorOf(std::string_view bytes) {
  const absl::StatusOr<LanguageModel> model = LanguageModel::Parse(bytes, "lid.bin");
  EXPECT_FALSE(model.ok());
  if (model.ok()) return "";
  EXPECT_EQ(ExitCodeOf(model.status()), ExitCode::kUsage);
  return Message(model.status());
}

template <typename Number>
std::string With(std::string bytes, size_t at, Number number) {
  std::memcpy(bytes.data() + at, &number, sizeof(number));
  return bytes;
}

// Where parts begin: 8 bytes of header, 56 of arguments, then the dictionary.
constexpr size_t kDictionary = 64;

TEST(LanguageModelTest, AFileThatEndsAnywhereIsRefused) {
  for (const char* name : {"hs_ngrams.bin", "hs_pruned_norm.ftz", "softmax_quantised_output.ftz"}) {
    const std::string bytes = Bytes(name);
    for (size_t size = 0; size < bytes.size(); ++size) {
      const std::string error = ErrorOf(std::string_view(bytes).substr(0, size));
      EXPECT_THAT(error, HasSubstr(size < 4 ? "is not a fastText model" : "the file ends inside its")) << name << size;
    }
    EXPECT_THAT(ErrorOf(bytes + "x"), HasSubstr("1 bytes follow the model's end"));
  }
}

TEST(LanguageModelTest, ErrorsNameTheByteAndThePart) {
  const std::string plain = Bytes("hs_ngrams.bin");
  EXPECT_THAT(ErrorOf("PK\x03\x04 a zip file"), HasSubstr("language model lid.bin: is not a fastText model"));
  EXPECT_THAT(ErrorOf(With<int32_t>(plain, 4, 13)), HasSubstr("format version 13 is not known"));
  EXPECT_THAT(ErrorOf(With<int32_t>(plain, 8, 0)), HasSubstr("byte 8: the list of arguments's dimension is 0"));
  EXPECT_THAT(ErrorOf(With<int32_t>(plain, 36, 1)), HasSubstr("has word vectors only"));
  EXPECT_THAT(ErrorOf(With<int32_t>(plain, 32, 9)), HasSubstr("loss is 9, not 1 to 4"));
  EXPECT_THAT(ErrorOf(With<int32_t>(plain, 40, 0)), HasSubstr("n-grams without buckets"));
  EXPECT_THAT(ErrorOf(With<int32_t>(plain, 48, 1000)), HasSubstr("n-grams of 1000 characters"));
  // Sizes that overflow, or that no file has.
  EXPECT_THAT(ErrorOf(With<int32_t>(plain, kDictionary, INT32_MAX)), HasSubstr("are not the 2147483647 entries"));
  std::string entries = With<int32_t>(plain, kDictionary, INT32_MAX);
  entries = With<int32_t>(entries, kDictionary + 4, INT32_MAX - 5);
  EXPECT_THAT(ErrorOf(entries), HasSubstr("the file ends inside its dictionary"));
  EXPECT_THAT(ErrorOf(With<int64_t>(plain, kDictionary + 20, INT64_MAX)),
              HasSubstr("the file ends inside its dictionary"));
  const size_t buckets = 101;
  uint32_t words = 0;
  std::memcpy(&words, plain.data() + kDictionary + 4, sizeof(words));
  const uint64_t rows = words + buckets;
  const size_t matrix = plain.size() - (1 + 16 + 5 * 3 * 4) - rows * 3 * 4 - 16;  // behind it the output of 5 labels
  uint64_t stored = 0;
  std::memcpy(&stored, plain.data() + matrix, sizeof(stored));
  ASSERT_EQ(stored, rows);
  for (const int64_t wrong : {int64_t{INT64_MAX}, int64_t{1} << 62, int64_t{1} << 32}) {
    EXPECT_THAT(ErrorOf(With<int64_t>(plain, matrix, wrong)), HasSubstr("the file ends inside its input matrix"));
  }
  EXPECT_THAT(ErrorOf(With<int64_t>(plain, matrix, -1)), HasSubstr("the input matrix's number of rows is -1"));
  EXPECT_THAT(ErrorOf(With<int64_t>(plain, matrix + 8, 4)), HasSubstr("number of columns is 4, not 3 to 3"));
  EXPECT_THAT(ErrorOf(With<float>(plain, matrix + 16, std::nanf(""))),
              HasSubstr(fmt::format("byte {}: a value of the input matrix is not a finite number", matrix + 16)));
  EXPECT_THAT(ErrorOf(With<char>(plain, matrix - 1, 7)), HasSubstr("a switch of the input matrix is 7"));
  EXPECT_THAT(ErrorOf(With<int32_t>(plain, 40, 5000)), HasSubstr("the dictionary needs"));
}

TEST(LanguageModelTest, AModelWhoseLabelsAreNoLanguagesIsRefused) {
  std::string bytes = Bytes("hs_ngrams.bin");
  for (const std::string label : {"__label__en", "__label__de", "__label__ar", "__label__ru", "__label__zh"}) {
    const size_t at = bytes.find(label);
    ASSERT_NE(at, std::string::npos);
    bytes[at + label.size() - 1] = '!';
  }
  EXPECT_THAT(ErrorOf(bytes), HasSubstr("none of its 5 labels is a language"));
}

TEST(LanguageModelTest, AnyByteChangedLeavesAModelOrAnError) {
  const std::string bytes = Bytes("hs_pruned_norm.ftz");
  FastTextScratch scratch;
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (const char value : {'\0', '\x7F', '\xFF'}) {
      const absl::StatusOr<LanguageModel> model = LanguageModel::Parse(With(bytes, at, value), "lid.ftz");
      if (!model.ok()) continue;
      const FastTextGuess guess = model->classifier().Best("the dog спит donau", scratch);
      EXPECT_TRUE(guess.label == FastTextGuess::kNone || guess.label < model->labels().size());
    }
  }
}

// fastText builds Huffman's tree from counts in descending order; a file can have any.
TEST(FastTextTree, EveryNodeButTheRootHasOneParent) {
  const std::vector<std::vector<uint64_t>> all = {
      {1}, {5, 5}, {9, 4, 3, 1, 1}, {0, 0, 0, 0, 0}, {1, 2, 3, 4}, {999999999999999, 999999999999999, 999999999999999}};
  for (const std::vector<uint64_t>& counts : all) {
    const FastTextTree tree = FastTextTree::Make(counts);
    ASSERT_EQ(tree.nodes.size(), 2 * counts.size() - 1);
    std::vector<int> parents(tree.nodes.size(), 0);
    for (size_t i = 0; i < tree.nodes.size(); ++i) {
      const bool leaf = tree.nodes[i].left == FastTextTree::kLeaf;
      EXPECT_EQ(leaf, i < counts.size());
      if (leaf) continue;
      EXPECT_LT(tree.nodes[i].left, i);
      EXPECT_LT(tree.nodes[i].right, i);
      ++parents[tree.nodes[i].left];
      ++parents[tree.nodes[i].right];
    }
    for (size_t i = 0; i + 1 < parents.size(); ++i) EXPECT_EQ(parents[i], 1);
  }
}

TEST(LanguageModelTest, TakesLinearTime) {
  const LanguageModel model = Model("hs_pruned_norm.ftz");
  FastTextScratch scratch;
  for (const std::string unit : {"x", "a ", "\xD9\x8B", "the dog ", " ", "ш"}) {
    const auto seconds = [&](size_t bytes) {
      std::string text;
      while (text.size() < bytes) text += unit;
      std::clock_t best = std::numeric_limits<std::clock_t>::max();
      for (int run = 0; run < 3; ++run) {
        const std::clock_t begun = std::clock();
        model.classifier().Best(text, scratch);
        best = std::min(best, std::clock() - begun);
      }
      return static_cast<double>(best) / CLOCKS_PER_SEC;
    };
    const double small = seconds(1 << 19);
    EXPECT_LT(seconds(1 << 21), 4 * 3 * std::max(small, 1e-4)) << unit;
  }
}

TEST(LanguageModelTest, AWordIsTakenAsItWasWhateverTextsCameBefore) {
  const LanguageModel model = Model("softmax_ngrams.bin");
  FastTextScratch used;
  std::string words;
  for (int i = 0; i < 50000; ++i) words += fmt::format("w{}{} ", i * 7919 % 50021, i % 3 == 0 ? "ая" : "");
  model.classifier().Best(words, used);
  for (const std::string text :
       {"the w17 dog w3ая", "собака", "w99 w100 w101", "sunsunsunsunsunsunsunsu", "aaaaaaaaaaaaaaaaaaaaaaaa"}) {
    FastTextScratch fresh;
    for (int round = 0; round < 2; ++round) {
      const FastTextGuess before = model.classifier().Best(text, used);
      const FastTextGuess after = model.classifier().Best(text, fresh);
      EXPECT_EQ(before.label, after.label) << text;
      EXPECT_EQ(before.probability, after.probability) << text;
    }
  }
}

TEST(LanguageModelTest, LabelsAreCodesAndAWantedCodeStandsForItsLabels) {
  const LanguageModel model = Model("softmax_ngrams.bin");
  ASSERT_EQ(model.LabelsOf("ar").size(), 1U);
  EXPECT_EQ(model.labels()[model.LabelsOf("ar")[0]], "arb_Arab");
  EXPECT_EQ(model.codes()[model.LabelsOf("de-AT").at(0)], "de");
  EXPECT_TRUE(model.LabelsOf("sw").empty());
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
