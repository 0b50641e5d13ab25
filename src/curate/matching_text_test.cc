#include "curate/matching_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>

#include "base/text.h"

namespace rhodes {
namespace {

// Of this thread: others on the machine do not count.
double ProcessorSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

std::string Match(std::string_view text) {
  std::string out;
  MatchingText(text, out);
  return out;
}

TEST(MatchingText, WordsAreFoldedAndSeparatedByOneSpace) {
  EXPECT_EQ(Match("  The QUICK -- brown\tfox, (jumps)!\n\nOver  "), "the quick brown fox jumps over");
  EXPECT_EQ(Match(""), "");
  EXPECT_EQ(Match(" ... \n"), "");
}

TEST(MatchingText, ApostrophesWithinWordsAreLeftOut) {
  EXPECT_EQ(Match("Don't don\u2019t 'quoted' dogs' x"), "dont dont quoted dogs x");
}

TEST(MatchingText, ComposedAndDecomposedAreTheSameAndAccentsStay) {
  EXPECT_EQ(Match("Caf\u00E9"), Match("cafe\u0301"));
  EXPECT_NE(Match("Caf\u00E9"), Match("cafe"));
  EXPECT_EQ(Match("\u212Bngstr\u00F6m"), Match("a\u030Angstro\u0308m"));
}

TEST(MatchingText, ShapesOfLettersAreTheLetters) {
  EXPECT_EQ(Match("\uFF21\uFF22\uFF23 \uFB01ne"), "abc fine");
  EXPECT_EQ(Match("\u00BD"), "1 2");
}

TEST(MatchingText, DigitsOfAllScriptsAreOneAndKeepTheirValues) {
  EXPECT_EQ(Match("\u0661\u0662\u0663 \u06F1\u06F2\u06F3 \uFF11\uFF12\uFF13 \u0967\u0968\u0969"), "123 123 123 123");
  EXPECT_EQ(Match("12,5 \u0661\u0662\u066B\u0665"), "12 5 12 5");
  EXPECT_NE(Match("123"), Match("124"));
}

TEST(MatchingText, ArabicFormsOfOneWordAreOne) {
  // Alef with hamza, madda or wasla; composed and decomposed.
  EXPECT_EQ(Match("\u0623\u062D\u0645\u062F"), Match("\u0627\u062D\u0645\u062F"));
  EXPECT_EQ(Match("\u0625\u0644\u0649"), Match("\u0627\u0644\u064A"));
  EXPECT_EQ(Match("\u0622\u062E\u0631"), Match("\u0627\u0653\u062E\u0631"));
  EXPECT_EQ(Match("\u0671\u0644"), Match("\u0627\u0644"));
  // Tatweel and vowel marks.
  EXPECT_EQ(Match("\u0645\u064F\u062D\u064E\u0645\u0651\u064E\u062F"), Match("\u0645\u062D\u0640\u0640\u0645\u062F"));
  // Presentation forms, lam-alef with hamza among them.
  EXPECT_EQ(Match("\uFEE3\uFEA4\uFEE4\uFEAA"), Match("\u0645\u062D\u0645\u062F"));
  EXPECT_EQ(Match("\uFEF7"), Match("\u0644\u0627"));
  // Keyboards.
  EXPECT_EQ(Match("\u06A9\u06CC"), Match("\u0643\u064A"));
  // Marks of direction and joiners.
  EXPECT_EQ(Match("\u200F\u0645\u062D\u200C\u0645\u062F\u202C"), Match("\u0645\u062D\u0645\u062F"));
  // Arabic punctuation separates.
  EXPECT_EQ(Match("\u0645\u060C\u0646\u061F"), Match("\u0645 \u0646"));
}

TEST(MatchingText, DistinctArabicLettersStayDistinct) {
  EXPECT_NE(Match("\u0633\u0624\u0627\u0644"), Match("\u0633\u0648\u0627\u0644"));  // waw with hamza
  EXPECT_NE(Match("\u0633\u0626\u0644"), Match("\u0633\u064A\u0644"));              // yeh with hamza
  EXPECT_NE(Match("\u0645\u062F\u0631\u0633\u0629"), Match("\u0645\u062F\u0631\u0633\u0647"));
  EXPECT_EQ(Match("\u0633\u0624\u0627\u0644"), Match("\u0633\u0648\u0654\u0627\u0644"));  // decomposed
}

TEST(MatchingText, IdeographsAreWordsAlone) { EXPECT_EQ(Match("\u4E2D\u6587abc"), "\u4E2D \u6587 abc"); }

TEST(MatchingText, IsTheSameWhenDoneTwice) {
  for (const std::string_view text :
       {"Don\u2019t 1,234.5 \u00C5 \u1E9E \u0130 \uFDFA \u2126 \u00BD", "\u0623\u0640\u0626 \uFEF7 \u06CC\u06D2 \u0661",
        "\U0001D400\U0001D7D9 \U0001F600 \u4E2D\u3042\uAC00"}) {
    const std::string once = Match(text);
    EXPECT_EQ(Match(once), once);
  }
}

TEST(MatchingText, ALongTextIsSimplifiedInPiecesWithoutATrace) {
  std::string text;
  std::string expected;
  while (text.size() < (size_t{17} << 20)) {
    text += "3.25 \u0391\u03A3 (x) 1\u0661 ";
    expected += expected.empty() ? "0 \u03B1\u03C2 x 0" : " 0 \u03B1\u03C2 x 0";
  }
  std::string out;
  SimplifyText(text, out);
  EXPECT_TRUE(out == expected);
}

TEST(MatchingText, AnyBytesOnceRepairedGiveValidUtf8) {
  std::string all;
  for (int i = 0; i < 65536; ++i) all += static_cast<char>(i * 2654435761u >> 13);
  std::string out;
  const std::string repaired = ReplaceInvalidUtf8(all);
  MatchingText(repaired, out);
  EXPECT_EQ(ReplaceInvalidUtf8(out), out);
  SimplifyText(repaired, out);
  EXPECT_EQ(ReplaceInvalidUtf8(out), out);
}

// Every shape that makes some part of the work its hardest: twice the text takes no more than three times the time.
TEST(MatchingText, TakesTimeInProportionToTheText) {
  const auto seconds = [](std::string_view piece, size_t bytes, auto form) {
    std::string text;
    while (text.size() < bytes) text += piece;
    std::string out;
    double best = 1e9;
    for (int i = 0; i < 3; ++i) {
      const double begun = ProcessorSeconds();
      form(text, out);
      best = std::min(best, ProcessorSeconds() - begun);
    }
    return best;
  };
  for (const std::string_view piece : {"\u0301\u0323", "\u302E\u0301\u302F", "\u03A3", "\u03A3'", "1.", "'",
                                       "\u0627\u0654", "x", "\u1E69", "\uFDFA", "\U0001D165\U0001D16E"}) {
    EXPECT_LT(seconds(piece, 1 << 20, SimplifyText), 3 * seconds(piece, 1 << 19, SimplifyText) + 0.02) << piece;
    EXPECT_LT(seconds(piece, 1 << 20, MatchingText), 3 * seconds(piece, 1 << 19, MatchingText) + 0.02) << piece;
  }
}

}  // namespace
}  // namespace rhodes
