#include "curate/judge.h"

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
