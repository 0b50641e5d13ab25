#include "curate/substring_cut.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <random>

#include "base/text.h"

namespace rhodes {
namespace {

using ::testing::ElementsAre;

// `text` with its cuts between brackets.
std::string Cut(std::string_view marked, std::vector<size_t>* marks = nullptr) {
  std::string text;
  std::vector<SubstringCut> cuts;
  for (const char c : marked) {
    if (c == '[') {
      cuts.push_back({.begin = text.size()});
    } else if (c == ']') {
      cuts.back().end = text.size();
    } else {
      text += c;
    }
  }
  return CutSubstrings(text, cuts, marks);
}

TEST(CutSubstrings, LeavesTheTextAsItIsWithoutCuts) {
  EXPECT_EQ(Cut(" as it was \n"), " as it was \n");
  EXPECT_EQ(Cut(""), "");
}

TEST(CutSubstrings, LeavesOneOfTheTwoWhiteSpaces) {
  EXPECT_EQ(Cut("one [two three] four"), "one four");
  EXPECT_EQ(Cut("one\n\n[two]\nthree"), "one\n\nthree") << "the larger one";
  EXPECT_EQ(Cut("one [two]\n\nthree"), "one\n\nthree");
  EXPECT_EQ(Cut("one [two]\n  three"), "one\n  three") << "an indented line stays indented";
  EXPECT_EQ(Cut("one [two], three"), "one, three") << "no blank before a comma";
  EXPECT_EQ(Cut("(one [two])"), "(one)");
  EXPECT_EQ(Cut("([one] two)"), "(two)");
  EXPECT_EQ(Cut("قبل [بعد]، ثم"), "قبل، ثم");
  EXPECT_EQ(Cut("one [two]“three”"), "one “three”");
}

TEST(CutSubstrings, NoWhiteSpaceRemainsAtTheEnds) {
  EXPECT_EQ(Cut("[one] two"), "two");
  EXPECT_EQ(Cut(" \n[one]\n\n two"), "two");
  EXPECT_EQ(Cut("one\n\n[two]"), "one");
  EXPECT_EQ(Cut("one [two] \n"), "one");
  EXPECT_EQ(Cut("[all of it]"), "");
  EXPECT_EQ(Cut(" [all] [of] [it] "), "");
  EXPECT_EQ(Cut("one [two] three\n"), "one three\n") << "far from the cut, nothing changes";
}

TEST(CutSubstrings, WordsDoNotRunIntoOne) {
  EXPECT_EQ(Cut("before[, and so on, ]after"), "before after");
  EXPECT_EQ(Cut("قبل[، ]بعد"), "قبل بعد");
  EXPECT_EQ(Cut("end.[ More (]text)"), "end.text)") << "a sign and a word are two tokens as they are";
  EXPECT_EQ(Cut("漢[字]仮"), "漢仮") << "ideographs are written without blanks";
}

TEST(CutSubstrings, SeveralCuts) {
  EXPECT_EQ(Cut("a [b] c [d] e\n\n[f]\n\ng"), "a c e\n\ng");
  EXPECT_EQ(Cut("a [b] [c] d"), "a d");
}

TEST(CutSubstrings, MarksMoveWithTheText) {
  //             0         1
  //             0123456789012345678
  const char* text = "one [two three] four";
  std::vector<size_t> marks = {0, 3, 4, 8, 13, 14, 16, 18};
  EXPECT_EQ(Cut(text, &marks), "one four");
  EXPECT_THAT(marks, ElementsAre(0, 3, 4, 4, 4, 4, 6, 8)) << "those of what is gone stand at the join";
  std::vector<size_t> at_end = {2, 3, 4, 5, 7};
  EXPECT_EQ(Cut("one [two]", &at_end), "one");
  EXPECT_THAT(at_end, ElementsAre(2, 3, 3, 3, 3));
  std::vector<size_t> trimmed = {3, 4, 9, 10};
  EXPECT_EQ(Cut("one [two]\n\nthree", &trimmed), "one\n\nthree");
  EXPECT_THAT(trimmed, ElementsAre(3, 3, 5, 6));
}

// For any cuts: what is left is the text's characters in their order, and each mark before a character that stayed is
// before that character still.
TEST(CutSubstrings, MarksStayWithTheirCharactersWhateverTheCuts) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    const size_t size = random() % 40;
    for (size_t i = 0; i < size; ++i) text += "ab.  \n"[random() % 6];
    std::vector<SubstringCut> cuts;
    for (size_t at = random() % 8; at < size;) {
      const size_t end = std::min<size_t>(size, at + 1 + random() % 6);
      cuts.push_back({.begin = at, .end = end});
      at = end + 1 + random() % 8;
    }
    std::vector<size_t> marks(size + 1);
    for (size_t i = 0; i <= size; ++i) marks[i] = i;
    const std::string cut = CutSubstrings(text, cuts, &marks);
    ASSERT_TRUE(std::is_sorted(marks.begin(), marks.end()));
    ASSERT_LE(marks.back(), cut.size());
    std::vector<bool> gone(size + 1);
    for (const SubstringCut& c : cuts)
      std::fill(gone.begin() + static_cast<int>(c.begin), gone.begin() + static_cast<int>(c.end), true);
    std::string letters;
    for (size_t i = 0; i < size; ++i) {
      if (gone[i] || text[i] == ' ' || text[i] == '\n') continue;
      letters += text[i];
      ASSERT_EQ(cut[marks[i]], text[i]) << fmt::format("{:?} became {:?}, character {}", text, cut, i);
    }
    std::string left;
    for (const char c : cut) {
      if (c != ' ' && c != '\n') left += c;
    }
    ASSERT_EQ(left, letters);
  }
}

TEST(CutSubstrings, AnyBytes) {
  std::mt19937_64 random(6);
  for (int round = 0; round < 500; ++round) {
    std::string text;
    for (int i = 0; i < 20; ++i) text += static_cast<char>(random());
    const std::vector<SubstringCut> cuts = {{.begin = 3, .end = 9}, {.begin = 11, .end = 12 + random() % 9}};
    EXPECT_LE(CutSubstrings(text, cuts).size(), 20u);
  }
}

}  // namespace
}  // namespace rhodes
