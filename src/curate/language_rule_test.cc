#include "curate/language_rule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <limits>

#include "base/json.h"
#include "curate/judge.h"
#include "curate/language_paragraphs.h"

namespace rhodes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

const std::string kDirectory = std::string(RHODES_SOURCE_DIR) + "/src/curate/testdata/language_model/";
constexpr char kEnglish[] = "the quick brown fox jumps over a lazy dog and sleeps in the sun";
constexpr char kRussian[] = "быстрая лиса прыгает через ленивую собаку и потом спит";

CurateSettings With(const std::vector<std::string>& assignments, const std::string& wanted = "auto") {
  CurateSettings settings;
  settings.rules = {"language"};
  settings.language.wanted = wanted;
  for (const std::string& assignment : assignments) {
    const absl::Status set = SetByName(assignment, settings);
    EXPECT_TRUE(set.ok()) << set;
  }
  absl::StatusOr<std::shared_ptr<const LanguageModel>> model = LoadLanguageModel(settings.language);
  EXPECT_TRUE(model.ok()) << model.status();
  if (model.ok()) settings.language_model = *std::move(model);
  return settings;
}

JudgedDocument Judged(Document document, const CurateSettings& settings, std::vector<Measure>* measures = nullptr) {
  JudgeScratch scratch;
  NormaliseCounts counts;
  return Judge(std::move(document), settings, scratch, counts, measures);
}

JudgedDocument JudgedText(const std::string& text, const CurateSettings& settings, const std::string& stated = "") {
  Document document;
  document.text = text;
  document.language = stated;
  return Judged(std::move(document), settings);
}

Json MetaOf(const JudgedDocument& judged) { return *ParseJson(judged.document.meta, "meta"); }

TEST(LanguageRule, AModelNamesTheLanguageAndItsConfidenceIsKept) {
  const CurateSettings settings = With({"language.model=" + kDirectory + "softmax_ngrams.bin"});
  const JudgedDocument judged = JudgedText(kRussian, settings);
  EXPECT_TRUE(judged.verdict.kept());
  EXPECT_EQ(judged.document.language, "ru");  // of the label rus_Cyrl
  EXPECT_GT(MetaOf(judged).at("language_confidence").get<double>(), 0.5);
  EXPECT_LE(MetaOf(judged).at("language_confidence").get<double>(), 1);
  EXPECT_FALSE(MetaOf(judged).contains("language_label"));
}

TEST(LanguageRule, AModelsDocumentsInOtherLanguagesAreDropped) {
  const CurateSettings settings = With({"language.model=" + kDirectory + "softmax_ngrams.bin"}, "ru");
  EXPECT_TRUE(JudgedText(kRussian, settings).verdict.kept());
  const Verdict verdict = JudgedText(kEnglish, settings).verdict;
  EXPECT_EQ(verdict.rule, "language");
  EXPECT_EQ(verdict.reason, "other_language");
  EXPECT_EQ(verdict.detail, "en");
}

TEST(LanguageRule, DatatrovesThresholdIsStrictAndDecidesByTheWantedLanguage) {
  CurateSettings settings = With({"language.model=" + kDirectory + "softmax_ngrams.bin"}, "ru");
  settings.datatrove_compatibility = true;
  FastTextScratch scratch;
  std::vector<float> probabilities;
  const std::string mixed = "fox лиса";
  settings.language_model->classifier().All(mixed, scratch, probabilities);
  const double of_russian = probabilities[settings.language_model->LabelsOf("ru").at(0)];
  settings.language.min_confidence = of_russian;
  EXPECT_FALSE(JudgedText(mixed, settings).verdict.kept());
  settings.language.min_confidence = of_russian - 1e-6;
  EXPECT_TRUE(JudgedText(mixed, settings).verdict.kept());
  // Its default is 0.65, and the label stays beside the code.
  settings.language.min_confidence = LanguageSettings::kOwn;
  std::vector<Measure> measures;
  Document document;
  document.text = kRussian;
  document.language = "en";
  const JudgedDocument judged = Judged(document, settings, &measures);
  ASSERT_EQ(measures.size(), 1U);
  EXPECT_EQ(measures[0].reason, "low_confidence");
  EXPECT_EQ(measures[0].threshold, 0.65);
  EXPECT_EQ(judged.document.language, "ru");
  EXPECT_EQ(MetaOf(judged).at("language_label"), "rus_Cyrl");
  EXPECT_EQ(MetaOf(judged).at("language_stated"), "en");
}

TEST(LanguageRule, TextWithoutWordsIsInNoLanguage) {
  CurateSettings settings = With({"language.model=" + kDirectory + "softmax_pruned.ftz"});
  EXPECT_EQ(JudgedText("\n \n", settings).document.language, JudgedText(" ", settings).document.language);
  settings = With({"language.model=" + kDirectory + "hs_word_ngrams.bin"});
  EXPECT_EQ(JudgedText("qqq", settings).document.meta.find("language_stated"), std::string::npos);
}

TEST(LanguageRule, SettingsThatDoNotGoTogetherAreRefused) {
  LanguageSettings settings;
  settings.drop_paragraphs = true;
  EXPECT_EQ(ExitCodeOf(LoadLanguageModel(settings).status()), ExitCode::kUsage);
  settings.per_paragraph = true;
  EXPECT_THAT(Message(LoadLanguageModel(settings).status()), HasSubstr("needs language.per_paragraph"));
  settings.wanted = "en";
  EXPECT_TRUE(LoadLanguageModel(settings).ok());
  settings.fineweb2_confidence = true;
  EXPECT_THAT(Message(LoadLanguageModel(settings).status()), HasSubstr("needs language.model"));
  settings.model = kDirectory + "hs_ngrams.bin";
  settings.wanted = "sw";
  EXPECT_THAT(Message(LoadLanguageModel(settings).status()), HasSubstr("does not know the language sw"));
  settings.model = kDirectory + "none.bin";
  EXPECT_EQ(ExitCodeOf(LoadLanguageModel(settings).status()), ExitCode::kUsage);
  settings.model = kDirectory + "goldens.json";
  EXPECT_THAT(Message(LoadLanguageModel(settings).status()), HasSubstr("is not a fastText model"));
}

TEST(LanguageRule, FineWeb2AsksItsOwnConfidenceOfEachLanguage) {
  const CurateSettings settings =
      With({"language.model=" + kDirectory + "softmax_ngrams.bin", "language.fineweb2_confidence=true"});
  std::vector<Measure> measures;
  Document document;
  document.text = "الثعلب البني السريع يقفز فوق الكلب";
  const JudgedDocument judged = Judged(document, settings, &measures);
  EXPECT_EQ(judged.document.language, "ar");
  ASSERT_EQ(measures.size(), 1U);
  EXPECT_EQ(measures[0].threshold, FindFineWeb2Language("ar")->language_score);
}

// Real sentences, for CLD2.
constexpr char kEn[] =
    "The harbour was quiet in the early morning, and only a few fishermen were mending their nets on the wall.";
constexpr char kAr[] = "كان الميناء هادئا في الصباح الباكر، ولم يكن على الجدار إلا عدد قليل من الصيادين يصلحون شباكهم.";

TEST(LanguageRule, SharesOfAMixedDocumentsLanguagesAreKept) {
  const CurateSettings settings = With({"language.per_paragraph=true"});
  const std::string text = std::string(kEn) + "\n" + kAr + "\n\n" + kAr + "\n";
  const JudgedDocument judged = JudgedText(text, settings);
  EXPECT_EQ(judged.document.text, text);
  const Json languages = MetaOf(judged).at("languages");
  ASSERT_EQ(languages.size(), 2U);
  EXPECT_NEAR(languages.at("en").get<double>(), double(sizeof(kEn)) / double(text.size()), 1e-4);
  EXPECT_NEAR(languages.at("en").get<double>() + languages.at("ar").get<double>(), 1, 2e-4);
  EXPECT_TRUE(MetaOf(judged).contains("language_confidence"));
}

TEST(LanguageRule, ParagraphsInOtherLanguagesGoAndSpansStayTrue) {
  const CurateSettings settings = With({"language.per_paragraph=true", "language.drop_paragraphs=true"}, "en");
  Document document;
  document.text = std::string(kAr) + "\n" + kEn + "\n\n" + kAr + "\n\n" + kEn + " Again.\n" + kAr;
  const size_t first = document.text.find("harbour");
  const size_t last = document.text.find("Again.");
  const size_t arabic = document.text.find(kAr, 10);
  document.spans = {{0, 9, 0}, {first, first + 7, 0}, {arabic + 4, arabic + 10, 0}, {last, last + 6, 0}};
  const JudgedDocument judged = Judged(document, settings);
  ASSERT_TRUE(judged.verdict.kept());
  EXPECT_EQ(judged.document.text, std::string(kEn) + "\n\n" + kEn + " Again.");
  EXPECT_EQ(judged.document.language, "en");
  ASSERT_EQ(judged.document.spans.size(), 2U);
  const auto of_span = [&](size_t i) {
    const Span& span = judged.document.spans[i];
    return judged.document.text.substr(span.begin, span.end - span.begin);
  };
  EXPECT_EQ(of_span(0), "harbour");
  EXPECT_EQ(of_span(1), "Again.");
  // One with nothing to keep goes whole.
  const JudgedDocument none = JudgedText(std::string(kAr) + "\n" + kAr, settings);
  EXPECT_EQ(none.verdict.reason, "other_language");
  EXPECT_EQ(none.verdict.detail, "ar");
  EXPECT_EQ(none.document.text, std::string(kAr) + "\n" + kAr);
}

TEST(LanguageRule, ShortLinesFollowTheirNeighboursInTheSameScript) {
  FastTextScratch scratch;
  const std::string text = std::string(kEn) + "\n\nMenu\n\n" + kAr + "\n\nOK\n\nنعم\n\n123\n";
  const std::vector<LanguageParagraph> paragraphs = FindLanguageParagraphs(text, nullptr, scratch);
  std::vector<std::string> codes;
  size_t at = 0;
  for (const LanguageParagraph& paragraph : paragraphs) {
    EXPECT_EQ(paragraph.begin, at);
    at = paragraph.end;
    codes.push_back(paragraph.code);
  }
  EXPECT_EQ(at, text.size());
  EXPECT_THAT(codes, ElementsAre("en", "en", "ar", "en", "ar", "ar"));
}

TEST(LanguageRule, AParagraphThatNobodyCanTellIsUndAndStays) {
  FastTextScratch scratch;
  std::string text = "123\n456\n\n---\n";
  const std::vector<LanguageParagraph> paragraphs = FindLanguageParagraphs(text, nullptr, scratch);
  EXPECT_THAT(LanguageShares(paragraphs), ElementsAre(Pair("und", 1.0)));
  EXPECT_FALSE(DropOtherLanguages(paragraphs, "en", text, nullptr));
  EXPECT_TRUE(FindLanguageParagraphs("", nullptr, scratch).empty());
  EXPECT_TRUE(FindLanguageParagraphs("\n\n", nullptr, scratch).empty());
}

TEST(LanguageRule, TakesLinearTimePerParagraph) {
  const CurateSettings settings = With({"language.model=" + kDirectory + "hs_pruned_norm.ftz",
                                        "language.per_paragraph=true", "language.drop_paragraphs=true"},
                                       "ru");
  for (const std::string unit : {"a\n", "\n", "ab\n\n", "1 2 3 ", "\xD9\x8B", "fox лиса\nлиса\n"}) {
    const auto seconds = [&](size_t bytes) {  // of processor time: other programs run beside the tests
      std::string text;
      while (text.size() < bytes) text += unit;
      std::clock_t best = std::numeric_limits<std::clock_t>::max();
      for (int run = 0; run < 3; ++run) {
        const std::clock_t begun = std::clock();
        JudgedText(text, settings);
        best = std::min(best, std::clock() - begun);
      }
      return static_cast<double>(best) / CLOCKS_PER_SEC;
    };
    const double small = seconds(1 << 18);
    EXPECT_LT(seconds(1 << 20), 4 * 3 * std::max(small, 1e-4)) << unit;
  }
}

}  // namespace
}  // namespace rhodes
