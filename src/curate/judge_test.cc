#include "curate/judge.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "base/text.h"

namespace rhodes {
namespace {

constexpr char kProse[] = "The list of all files that belong to the package, and the programs which are in it.";

JudgedDocument MustJudge(std::string text, std::string meta = "", const CurateSettings& settings = {}) {
  Document document;
  document.id = "id";
  document.text = std::move(text);
  document.meta = std::move(meta);
  JudgeScratch scratch;
  NormaliseCounts counts;
  return Judge(std::move(document), settings, scratch, counts);
}

TEST(Judge, AddsTheConfidenceToAnyMeta) {
  for (const std::string meta :
       {"", "{}", "{ }", "{\"title\":\"x\"}", "{\"language_confidence\":0.1}", "[1]", " {\"a\":{}}\n"}) {
    const absl::StatusOr<Json> json = ParseJson(MustJudge(kProse, meta).document.meta, "meta");
    ASSERT_TRUE(json.ok()) << meta << " " << json.status();
    EXPECT_GT((*json)["language_confidence"].get<double>(), 0.9) << meta;
  }
  EXPECT_EQ(MustJudge(kProse, "not json").document.meta, "not json") << "not ours to break";
}

// Rows of `id` and `text` alone were not asked for stop words, and fineweb2 kept all of them.
TEST(Judge, FindsTheLanguageForRulesThatHaveWordsOrThresholdsOfIt) {
  std::string text;  // English without a stop word
  for (int i = 0; i < 10; ++i) {
    text += fmt::format("Green mountains rise behind quiet villages where children gather colourful stones {} ", i);
  }
  CurateSettings settings;
  settings.rules = {"gopher-quality"};
  JudgedDocument judged = MustJudge(text, "", settings);
  EXPECT_EQ(judged.verdict.reason, "gopher_enough_stop_words");
  EXPECT_EQ(judged.document.language, "en");
  EXPECT_EQ(judged.document.meta, "") << "the confidence is the rule's";
  settings.rules = {"fineweb2"};
  judged = MustJudge("هذا نص قصير باللغة العربية عن المدينة والناس الذين يعيشون فيها منذ زمن بعيد", "", settings);
  EXPECT_EQ(judged.document.language, "ar");
  EXPECT_FALSE(judged.verdict.kept());
  settings.rules = {"exact"};
  EXPECT_EQ(MustJudge(text, "", settings).document.language, "") << "nobody asked";
}

TEST(Judge, MovesSpansWithTheTextAndDropsTheEmptyOnes) {
  Document document;
  document.id = "id";
  document.parents = {"a", "b", "c"};
  document.text = "\r\nThe list of files.  \r\nThe dish was out for 4 seconds in the night. \n";
  const auto place = [&](std::string_view words) { return document.text.find(words); };
  document.spans = {{0, 2, 2},
                    {place("The list"), place("  \r"), 0},
                    {place("The dish"), place(" \n") + 1, 1},
                    {place("4 sec"), place(" in"), 2}};
  JudgeScratch scratch;
  NormaliseCounts counts;
  const JudgedDocument judged = Judge(document, {}, scratch, counts);
  const std::string& text = judged.document.text;
  EXPECT_EQ(text, "The list of files.\nThe dish was out for 4 seconds in the night.");
  EXPECT_THAT(judged.document.spans, ::testing::ElementsAre(Span{0, 18, 0}, Span{19, text.size(), 1}, Span{40, 49, 2}));
}

TEST(Judge, RepairsInvalidUtf8EvenWithoutRules) {
  CurateSettings settings;
  settings.rules = {};
  EXPECT_EQ(MustJudge("a\xFF"
                      "b",
                      "", settings)
                .document.text,
            "a\xEF\xBF\xBD"
            "b");
}

TEST(Judge, EndsOnStrangeInput) {
  for (const std::string& text :
       {std::string(1'000'000, '\0'), std::string(1'000'000, 'a'), std::string(3'000'000, '\n'),
        std::string(1'000'000, '\xCC'), std::string("\xF4\x8F\xBF\xBF"), std::string("\xE2\x80")}) {
    const JudgedDocument judged = MustJudge(text);
    EXPECT_FALSE(judged.verdict.kept());
    EXPECT_TRUE(IsValidUtf8(judged.document.text));
  }
}

}  // namespace
}  // namespace rhodes
