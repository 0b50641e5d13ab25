#include "curate/normalise.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <random>

#include <fmt/format.h>

#include "base/text.h"

namespace rhodes {
namespace {

std::string Normalised(std::string_view text, NormaliseSettings settings = {}) {
  NormaliseCounts counts;
  return Normalise(text, settings, counts);
}

TEST(Normalise, LeavesGoodTextAsItIs) {
  for (const std::string text :
       {"plain", "two\nlines", "a\n\nparagraph\n\tindented  twice", "grüße", "السلام عليكم", "日本語", ""}) {
    NormaliseCounts counts;
    EXPECT_EQ(Normalise(text, {}, counts), text);
    EXPECT_EQ(counts.changed, 0u);
  }
}

TEST(Normalise, ComposesToNfc) {
  EXPECT_EQ(Normalised("Zu\xCC\x88rich"), "Zürich");
  EXPECT_EQ(Normalised("\xE2\x84\xAB"), "Å");                       // the Angstrom sign is the letter
  EXPECT_EQ(Normalised("ا\xD9\x94"), "أ");                          // alef and hamza above
  EXPECT_EQ(Normalised("q\xCC\x87\xCC\xA3"), "q\xCC\xA3\xCC\x87");  // marks in canonical order
  EXPECT_EQ(Normalised("ﬁ ① ²"), "ﬁ ① ²") << "compatibility characters are other text";
}

TEST(Normalise, KeepsArabicDistinctionsAndTatweelAndDigits) {
  const std::string text = "أإآا ى ي ة ه كتـــاب مُحَمَّد ٠١٢ ۰۱۲";
  EXPECT_EQ(Normalised(text), text);
}

TEST(Normalise, ArabicPresentationFormsBecomeLettersButPhrasesStay) {
  EXPECT_EQ(Normalised("\xEF\xBA\x8D\xEF\xBB\x9F\xEF\xBA\xB4\xEF\xBB\xBC\xEF\xBB\xA1"),
            "السلام");  // alef lam seen lam-alef meem
  EXPECT_EQ(Normalised("\xEF\xB7\xBA"), "\xEF\xB7\xBA") << "a phrase in one character";
  EXPECT_EQ(Normalised("\xEF\xB0\x80"), "\xEF\xB0\x80") << "a ligature of two letters that are not lam-alef";
  EXPECT_EQ(Normalised("\xEF\xBA\x8D", {.arabic_letters = false}), "\xEF\xBA\x8D");
}

TEST(Normalise, LineEndsAndBlanksAndControls) {
  EXPECT_EQ(Normalised("a\r\nb\rc\fd\x0B"
                       "e\xC2\x85"
                       "f"),
            "a\nb\nc\nd\ne\nf");
  EXPECT_EQ(Normalised("a  \t\nb \n"), "a\nb");
  EXPECT_EQ(Normalised("\n\n a\n\n\n\n \t\n\nb\n\n"), " a\n\nb");
  EXPECT_EQ(Normalised("   \n\t\n"), "");
  EXPECT_EQ(Normalised("\xEF\xBB\xBFwith a mark"), "with a mark");
  NormaliseCounts counts;
  EXPECT_EQ(Normalise(std::string_view("a\0b\x1B[1mc\x7F\xC2\x9B\ttab", 15), {}, counts), "ab[1mc\ttab");
  EXPECT_EQ(counts.control_characters, 4u);
  EXPECT_EQ(counts.changed, 1u);
}

TEST(Normalise, ZeroWidthAndBidiMarksStayTheyHaveMeaning) {
  const std::string text = "می‌خواهم \u200F(\u200E1\u200F) a\u00ADb";
  EXPECT_EQ(Normalised(text), text);
}

TEST(Normalise, IsIdempotent) {
  for (const std::string text : {"a\r\r\n\f b \n\n\n\n", "e\xCC\x81 \xEF\xBB\xBC \n",
                                 "\xC2\x85\xC2\x85x\xEF\xBB\xBF\n y", "\xF0\x9F\x98\x80 \xF0\x9F\xBF\xBF"}) {
    const std::string once = Normalised(text);
    EXPECT_EQ(Normalised(once), once);
    EXPECT_TRUE(IsValidUtf8(once));
  }
}

TEST(RepairUtf8, ReplacesAndCountsEachMaximalInvalidSequence) {
  NormaliseCounts counts;
  std::string text = "ok \xEF\xBF\xBD \xFF\xFE \xE2\x82 \xC0\x80 end";
  RepairUtf8(text, counts);
  EXPECT_EQ(text, "ok \xEF\xBF\xBD \xEF\xBF\xBD\xEF\xBF\xBD \xEF\xBF\xBD \xEF\xBF\xBD\xEF\xBF\xBD end");
  EXPECT_EQ(counts.invalid_utf8, 1u);
  EXPECT_EQ(counts.invalid_sequences, 5u);
}

double Seconds(const std::function<void()>& work) {
  const auto begun = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

std::string Repeated(std::string_view piece, size_t size) {
  std::string text;
  while (text.size() < size) text += piece;
  return text;
}

// Words that no rule touches, with everything that is changed or removed between them: each is found again where its
// marks say.
TEST(Normalise, MovesMarksWithTheTextAroundThem) {
  const std::vector<std::string> between = {" ",
                                            "\n",
                                            "\r\n",
                                            "\r",
                                            "  \n\n\n\n",
                                            "\t ",
                                            "\x07",
                                            "\xEF\xBB\xBF",
                                            "\xC2\x85",
                                            "Zu\xCC\x88rich",
                                            "é",
                                            "\f\v ",
                                            "\xFF",
                                            "\xE0\xA4\xFF",
                                            "\xF0\x9F",
                                            "\x80\x80\x80\x80\x80",
                                            "\xEF\xBB\xBB",
                                            "ا\xD9\x94",
                                            "q\xCC\x87\xCC\xA3",
                                            "日",
                                            "\xEF\xBA\x8D",
                                            "\xE2\x84\xAB"};
  std::mt19937 random(3);
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    std::vector<size_t> marks;
    const auto junk = [&] {
      for (size_t i = random() % 4; i > 0; --i) text += between[random() % between.size()];
    };
    const size_t words = 1 + random() % 6;
    for (size_t i = 0; i < words; ++i) {
      junk();
      marks.push_back(text.size());
      text += fmt::format("w{}", i);
      marks.push_back(text.size());
    }
    junk();
    NormaliseCounts counts;
    std::vector<size_t> ends = {0, text.size()};
    const std::string original = text;
    RepairUtf8(text, counts, &marks);
    const std::string result = Normalise(text, {}, counts, &marks);
    EXPECT_EQ(result, Normalised(text)) << "marks change nothing";
    for (size_t i = 0; i < words; ++i) {
      ASSERT_LE(marks[2 * i], marks[2 * i + 1]);
      EXPECT_EQ(result.substr(marks[2 * i], marks[2 * i + 1] - marks[2 * i]), fmt::format("w{}", i)) << original;
    }
  }
}

TEST(Normalise, AMarkInWhatIsRemovedOrJoinedLiesBesideIt) {
  NormaliseCounts counts;
  std::vector<size_t> marks = {0, 2, 3, 4, 9, 11, 13};
  EXPECT_EQ(Normalise("  a \t \n\n\n\nu\xCC\x88", {}, counts, &marks), "  a\n\nü");
  //                   0123 4 5 6 7 8 9 10 11
  EXPECT_THAT(marks, ::testing::ElementsAre(0u, 2u, 3u, 3u, 5u, 7u, 7u));
}

TEST(Normalise, IsLinearOnAdversarialText) {
  const std::string_view pieces[] = {"\xCC\x81\xCC\xA3",        "a\xCC\x81", "\r", "\n \n", "\xEF\xBB\xBF",
                                     std::string_view("\0", 1), " ",         "a"};
  for (const std::string_view piece : pieces) {
    const std::string half = Repeated(piece, 2'000'000);
    const std::string whole = Repeated(piece, 8'000'000);
    const double short_time = Seconds([&] { Normalised(half); });
    const double long_time = Seconds([&] { Normalised(whole); });
    // Four times the text: 4 times the time, where a quadratic step would need 16. Half a second of slack for a busy
    // machine is far below what a quadratic step takes at this size (minutes).
    EXPECT_LT(long_time, 10 * short_time + 0.5) << testing::PrintToString(std::string(piece));
  }
}

}  // namespace
}  // namespace rhodes
