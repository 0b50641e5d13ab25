#include "token/rank_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "token/testing_tokenizers.h"

namespace rhodes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string RankFile() {
  auto bytes = ReadFile(kTokenTestData + "/ranks.tiktoken");
  EXPECT_TRUE(bytes.ok()) << Message(bytes.status());
  return *std::move(bytes);
}

std::string Replaced(std::string text, std::string_view what, std::string_view with) {
  const size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), with);
}

absl::Status ErrorOf(std::string_view bytes, std::string_view pattern = "gpt2") {
  return ParseRankFile(bytes, pattern, "some/x.tiktoken").status();
}

// "IQ==" is "!", of rank 0.
TEST(RankFile, Parse_SaysWhatIsWrongAndWhere) {
  const std::string good = RankFile();
  ASSERT_TRUE(ErrorOf(good).ok()) << Message(ErrorOf(good));
  const std::string not_a_line = "is not a token in base64, a space and its rank";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {Replaced(good, "IQ== 0\n", "IQ==\n"), "line 1 " + not_a_line},
      {Replaced(good, "Ig== 1\n", "Ig== one\n"), "line 2 " + not_a_line},
      {Replaced(good, "Ig== 1\n", "Ig== 1 1\n"), "line 2 " + not_a_line},
      {Replaced(good, "Ig== 1\n", "Ig== -1\n"), "line 2 " + not_a_line},
      {Replaced(good, "Ig== 1\n", "Ig== 99999999\n"), "line 2 " + not_a_line},
      {Replaced(good, "Ig== 1\n", "Ig= 1\n"), "line 2 " + not_a_line},
      {Replaced(good, "Ig== 1\n", "I=== 1\n"), "line 2 " + not_a_line},
      {Replaced(good, "Ig== 1\n", "Ig*= 1\n"), "line 2 " + not_a_line},
      {Replaced(good, "Ig== 1\n", " 1\n"), "line 2 " + not_a_line},
      {Replaced(good, "Ig== 1\n", "Ig== 0\n"), "line 2: rank 0 is there twice"},
      {Replaced(good, "Ig== 1\n", "IQ== 1\n"), "the tokens of rank 0 and rank 1 are the same"},
  };
  for (const auto& [bytes, message] : cases) {
    EXPECT_EQ(ErrorOf(bytes).code(), absl::StatusCode::kInvalidArgument) << message;
    EXPECT_EQ(Message(ErrorOf(bytes)), "some/x.tiktoken: " + message);
  }
  EXPECT_THAT(Message(Tokenizer::Parse(Replaced(good, "IQ== 0\n", ""), "x", "gpt2").status()),
              HasSubstr("x: the vocabulary has no token for byte 0x21"));
}

TEST(RankFile, Parse_AsksForThePatternOfAnUnknownEncoding) {
  const absl::Status unknown = ErrorOf(RankFile(), "");
  EXPECT_EQ(ExitCodeOf(unknown), ExitCode::kUsage);
  EXPECT_THAT(Message(unknown),
              HasSubstr("some/x.tiktoken: a rank file of 511 tokens, which no well-known encoding has"));
  EXPECT_THAT(Message(unknown), HasSubstr("--pattern gpt2, cl100k"));
  EXPECT_THAT(Message(ErrorOf(RankFile(), "words")), HasSubstr("unknown pre-tokenizer pattern \"words\""));
}

TEST(RankFile, Parse_TakesLinesInAnyOrderWithEitherLineEnd) {
  const std::string good = RankFile();
  std::string turned = Replaced(Replaced(good, "IQ== 0\n", ""), "Ig== 1\n", "");
  turned += "Ig== 1\r\n\nIQ== 0";
  const auto one = Tokenizer::Parse(good, "x", "o200k");
  const auto other = Tokenizer::Parse(turned, "x", "o200k");
  ASSERT_TRUE(one.ok() && other.ok()) << Message(other.status());
  const std::string text = "the thing of \"it\"! <|endoftext|>";
  EXPECT_EQ(EncodeText(**one, text, true), EncodeText(**other, text, true));
  EXPECT_EQ((*one)->vocabulary_size(), 512U);
  EXPECT_THAT(EncodeText(**one, "!\"<|endoftext|>", true), ElementsAre(0, 1, 511));
}

// tiktoken's files have one, whose rank no token has (cl100k_base: 100256).
TEST(RankFile, Parse_LeavesRanksThatNoTokenHasEmpty) {
  const std::string gap = Replaced(RankFile(), "IQ== 0\n", "IQ== 600\n");
  const auto tokenizer = Tokenizer::Parse(gap, "x", "gpt2");
  ASSERT_TRUE(tokenizer.ok()) << Message(tokenizer.status());
  EXPECT_THAT(EncodeText(**tokenizer, "!<|endoftext|>", true), ElementsAre(600, 601));
  EXPECT_EQ((*tokenizer)->TokenBytes(0), "");
  EXPECT_EQ((*tokenizer)->Decode({600, 0, 600}), "!!");
}

}  // namespace
}  // namespace rhodes
