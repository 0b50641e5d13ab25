#include "curate/quality.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "curate/unicode_class.h"

namespace rhodes {
namespace {

Words Split(std::string_view text, std::string_view language = "en") {
  Words words;
  WordSplitter().Split(text, WordRulesFor(language, false), words);
  return words;
}

uint64_t CountStopWords(std::string_view text, std::string_view language = "en") {
  return WordSplitter::CountStopWords(text, Split(text), *FindStopWords(language), 64, true);
}

std::string Reason(std::string_view text, const QualitySettings& settings = {}, std::string_view language = "en") {
  Findings findings("quality");
  JudgeQuality(MeasureQuality(text, Split(text, language), language, {.list = FindStopWords(language)}), settings,
               findings);
  return std::string(findings.Take().reason);
}

std::string Repeat(std::string_view piece, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += piece;
  return text;
}

TEST(Words, CountsWordsSymbolsAndLetters) {
  const Words words = Split("It's 3.5 metres -- don't, 1,000 times... #tag\n");
  // It's 3.5 metres -- don't , 1,000 times ... # tag
  EXPECT_EQ(words.count, 11u);
  EXPECT_EQ(words.plain_count, 7u);
  EXPECT_EQ(words.with_letter, 5u);
  EXPECT_EQ(words.plain_code_points, 4u + 3 + 6 + 5 + 5 + 5 + 3);
  EXPECT_EQ(words.ellipses, 1u);
  EXPECT_EQ(words.number_signs, 1u);
  EXPECT_EQ(words.code_points, 46u);
}

TEST(Words, CountsCodePointsNotBytes) {
  const Words words = Split("مُحَمَّد كِتَاب", "ar");
  EXPECT_EQ(words.count, 2u);
  EXPECT_EQ(words.code_points, CodePoints("مُحَمَّد كِتَاب"));
  EXPECT_EQ(words.begins.back(), words.code_points - 1);
}

TEST(Words, AnIdeographIsAWord) {
  const Words words = Split("日本語 text", "ja");
  EXPECT_EQ(words.count, 4u);
  EXPECT_EQ(words.with_letter, 4u);
}

TEST(Words, EqualWordsHaveEqualHashesWhereverTheyStand) {
  const Words words = Split("one two one");
  ASSERT_EQ(words.hashes.size(), 3u);
  EXPECT_EQ(words.hashes[0], words.hashes[2]);
  EXPECT_NE(words.hashes[0], words.hashes[1]);
}

TEST(Words, CountsDistinctStopWordsWithCase) {
  EXPECT_EQ(CountStopWords("the cat and the dog"), 2u);
  EXPECT_EQ(CountStopWords("THE cat AND"), 0u);
  EXPECT_EQ(CountStopWords("الكتاب في البيت من الخشب", "ar"), 2u);
}

TEST(Words, FindsArabicStopWordsWithTheirVowelMarks) { EXPECT_EQ(CountStopWords("الكِتَابُ فِي البَيْتِ مِنْ خَشَبٍ", "ar"), 2u); }

TEST(StopWords, EveryListFindsEachOfItsWordsOnce) {
  for (const std::string_view language : StopWordLanguages()) {
    const StopWords* list = FindStopWords(language);
    ASSERT_NE(list, nullptr) << language;
    EXPECT_GE(list->size(), 8u) << language;
    EXPECT_LE(list->size(), 64u) << language;
    EXPECT_EQ(list->Find("xyzzy"), -1);
    EXPECT_EQ(list->Find(""), -1);
  }
  EXPECT_EQ(FindStopWords("xx"), nullptr);
  EXPECT_EQ(FindStopWords("en-GB"), FindStopWords("en"));
  EXPECT_GE(FindStopWords("en")->Find("with"), 0);
}

const std::string kGood =
    "The system package manager keeps a list of all files, and it removes them with care when asked to.";

TEST(Quality, KeepsProse) { EXPECT_EQ(Reason(kGood), ""); }

TEST(Quality, NamesTheReasonsOfTheReference) {
  EXPECT_EQ(Reason("A short text."), "gopher_short_doc");
  EXPECT_EQ(Reason(kGood, {.max_words = 5}), "gopher_long_doc");
  EXPECT_EQ(Reason(Repeat("a b c d e f ", 10)), "gopher_below_avg_threshold");
  EXPECT_EQ(Reason(Repeat("incomprehensibilities of the counterrevolutionaries ", 10)), "gopher_above_avg_threshold");
  EXPECT_EQ(Reason(Repeat("the # word and # thing ", 10)), "gopher_too_many_hashes");
  EXPECT_EQ(Reason(Repeat("the word ... and thing … ", 10)), "gopher_too_many_ellipsis");
  EXPECT_EQ(Reason(Repeat("- the first thing\n• and the second\n", 10)), "gopher_too_many_bullets");
  EXPECT_EQ(Reason(Repeat("the list of all things goes on and never will end ...\n", 10)),
            "gopher_too_many_end_ellipsis");
  EXPECT_EQ(Reason(Repeat("the 1000 and 2000 3000 4000 5000 ", 10)), "gopher_below_alpha_threshold");
  EXPECT_EQ(Reason(Repeat("Lists name things only: apples pears plums ", 5)), "gopher_enough_stop_words");
}

TEST(Quality, ShortDocumentsNeedNoStopWords) {
  EXPECT_EQ(Reason("GNU file archiver utility collection"), "");
  EXPECT_EQ(Reason("GNU file archiver utility collection", {.stop_words_from = 0}), "gopher_enough_stop_words");
}

TEST(Quality, StopWordsOnlyWhereThereIsAListAndWordLengthOnlyWhereThereAreSpaces) {
  EXPECT_EQ(Reason(Repeat("Lists name things only: apples pears plums ", 5), {}, "xx"), "");
  EXPECT_EQ(Reason(Repeat("パッケージを管理するための道具です。", 3), {}, "ja"), "");
  EXPECT_EQ(Reason(Repeat("パッケージを管理するための道具です。", 3), {}, "en"), "gopher_below_avg_threshold");
}

TEST(Quality, ComparisonsAreStrict) {
  EXPECT_EQ(Reason("one two three four five of the others here too", {.min_words = 10}), "");
  EXPECT_EQ(Reason("one two three four five of the others here too", {.min_words = 11}), "gopher_short_doc");
}

TEST(Quality, EmptyTextHasNoMeasureThatIsNotANumber) {
  const QualityMeasures measures = MeasureQuality("", Split(""), "en", {});
  EXPECT_EQ(measures.mean_word_length, 0);
  EXPECT_EQ(measures.alpha_word_ratio, 0);
  EXPECT_EQ(measures.bullet_line_ratio, 0);
}

}  // namespace
}  // namespace rhodes
