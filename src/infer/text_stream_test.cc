#include "infer/text_stream.h"

#include <gtest/gtest.h>

#include <random>

#include "base/text.h"

namespace rhodes {
namespace {

TEST(TextStream, HalfACharacterWaitsForTheRest) {
  TextStream stream;
  EXPECT_EQ(stream.Push("a\xD8"), "a");
  EXPECT_EQ(stream.Push("\xB3"), "س");
  EXPECT_EQ(stream.Push("\xF0\x9F"), "");
  EXPECT_EQ(stream.Push("\x98"), "");
  EXPECT_EQ(stream.Push("\x80!"), "😀!");
  EXPECT_EQ(stream.Finish(), "");
}

TEST(TextStream, BytesThatAreNoCharacterBecomeTheReplacement) {
  TextStream stream;
  EXPECT_EQ(stream.Push("\xD8"
                        "b"),
            "\uFFFD"
            "b");
  EXPECT_EQ(stream.Push("\xFF"), "\uFFFD");
  EXPECT_EQ(stream.Push("\xE2\x82"), "");
  EXPECT_EQ(stream.Finish(), "\uFFFD");
}

TEST(TextStream, StopString_IsFoundAcrossPiecesAndNotShown) {
  TextStream stream({"\nQuestion:", "END"});
  EXPECT_EQ(stream.Push("one\n"), "one");
  EXPECT_EQ(stream.Push("two\nQues"), "\ntwo");
  EXPECT_EQ(stream.Push("t"), "");
  EXPECT_FALSE(stream.stopped());
  EXPECT_EQ(stream.Push("ion: more"), "");
  EXPECT_TRUE(stream.stopped());
  EXPECT_EQ(stream.Push("after"), "");
  EXPECT_EQ(stream.Finish(), "");
}

TEST(TextStream, StopString_TheEarliestCounts) {
  TextStream stream({"cd", "bcdX"});
  EXPECT_EQ(stream.Push("abcdX"), "a");
  EXPECT_TRUE(stream.stopped());
}

TEST(TextStream, BegunStopString_IsGivenOutAtTheEnd) {
  TextStream stream({"STOP"});
  EXPECT_EQ(stream.Push("a ST"), "a ");
  EXPECT_EQ(stream.Finish(), "ST");
}

TEST(TextStream, LeadingSpace_IsDroppedOnlyAtTheBeginning) {
  TextStream stream({}, true);
  EXPECT_EQ(stream.Push(" "), "");
  EXPECT_EQ(stream.Push("\n a b"), "a b");
  EXPECT_EQ(stream.Push(" c"), " c");
}

TEST(TextStream, AnyCutOfAnyBytes_GivesTheSameValidText) {
  std::mt19937 random(3);
  const std::string alphabet = "a\n\xD8\xB3\xE2\x82\xAC\xF0\x9F\x98\x80\xFF\xC0\xED\xA0";
  for (int round = 0; round < 2000; ++round) {
    std::string bytes;
    for (int i = 0; i < 24; ++i) bytes += alphabet[random() % alphabet.size()];
    TextStream stream;
    std::string text;
    for (size_t at = 0; at < bytes.size();) {
      const size_t size = std::min<size_t>(1 + random() % 4, bytes.size() - at);
      const std::string piece = stream.Push(std::string_view(bytes).substr(at, size));
      ASSERT_TRUE(IsValidUtf8(piece));
      text += piece;
      at += size;
    }
    text += stream.Finish();
    EXPECT_EQ(text, ReplaceInvalidUtf8(bytes));
  }
}

}  // namespace
}  // namespace rhodes
