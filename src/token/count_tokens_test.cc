#include "token/count_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/file.h"
#include "token/tokenizer.h"

namespace rhodes {
namespace {

using ::testing::HasSubstr;

const std::string kData = RHODES_SOURCE_DIR "/src/token/testdata";

TEST(CountWords, CountsRunsOfCharactersThatAreNoWhiteSpace) {
  TextCounts counts;
  CountWords(" one, two\u00a0three\u3000وثيقة\n\n\xff. ", counts);
  EXPECT_EQ(counts.words, 5U);
  EXPECT_EQ(counts.characters, 26U);
}

class CountTokensTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "rhodes_count_" + std::to_string(getpid());
    ASSERT_TRUE(RemoveTree(folder_).ok());
    ASSERT_TRUE(CreateDirectories(folder_).ok());
  }
  void TearDown() override { ASSERT_TRUE(RemoveTree(folder_).ok()); }
  std::string Write(const std::string& name, const std::string& bytes) {
    EXPECT_TRUE(WriteFileAtomically(folder_ + "/" + name, bytes).ok());
    return folder_ + "/" + name;
  }
  std::string folder_;
};

TEST_F(CountTokensTest, ALongTextHasTheTokensOfTheWholeForAnyNumberOfThreads) {
  const std::string piece = *ReadFile(kData + "/train.txt");
  std::string text;
  for (int i = 0; text.size() < 3 << 20; ++i) text += fmt::format("{}\nPart {}: ", piece, i);
  const std::string path = Write("book.txt", text);
  for (const char* const name : {"gpt2", "o200k"}) {
    CountTokensOptions options;
    options.input.paths = {path};
    options.tokenizer = fmt::format("{}/{}.json", kData, name);
    std::vector<TokenId> ids;
    (*Tokenizer::Load(options.tokenizer))->Encode(text, ids);
    for (const int threads : {1, 3}) {
      RunContext context;
      context.threads = threads;
      const auto report = CountTokens(options, context);
      ASSERT_TRUE(report.ok()) << Message(report.status());
      EXPECT_EQ(report->all.tokens, ids.size()) << name;
      EXPECT_EQ(report->all.documents, 1U);
      EXPECT_EQ(report->all.bytes, text.size());
      EXPECT_EQ(report->by_source.at("book").tokens, ids.size());
    }
  }
}

TEST_F(CountTokensTest, CountsBySourceAndLanguage) {
  CountTokensOptions options;
  options.input.paths = {Write("a.jsonl",
                               "{\"text\":\"one two\",\"language\":\"en\",\"sources\":[\"x\"]}\n"
                               "{\"text\":\"وثيقة\",\"language\":\"ar\",\"sources\":[\"x\"]}\n"
                               "{\"text\":\"three\",\"language\":\"en\",\"sources\":[\"y\"]}\n{\"text\":\"\"}\n")};
  options.tokenizer = kData + "/gpt2.json";
  RunContext context;
  const auto report = CountTokens(options, context);
  ASSERT_TRUE(report.ok()) << Message(report.status());
  EXPECT_EQ(report->all.documents, 4U);
  EXPECT_EQ(report->all.words, 4U);
  EXPECT_EQ(report->all.bytes, 22U);
  EXPECT_EQ(report->by_source.at("x").documents, 2U);
  EXPECT_EQ(report->by_source.at("x").characters, 12U);
  EXPECT_EQ(report->by_source.at("a").bytes, 0U);
  EXPECT_EQ(report->by_language.at("en").words, 3U);
  EXPECT_EQ(report->by_language.at("ar").bytes, 10U);
  EXPECT_EQ(report->by_language.at("und").documents, 1U);
  EXPECT_EQ(report->all.tokens, report->by_source.at("x").tokens + report->by_source.at("y").tokens);
}

TEST_F(CountTokensTest, SpecialTokensAreTextUnlessTheyAreAllowed) {
  CountTokensOptions options;
  options.input.paths = {Write("a.txt", "<|endoftext|>")};
  options.tokenizer = kData + "/gpt2.json";
  RunContext context;
  EXPECT_GT(CountTokens(options, context)->all.tokens, 1U);
  options.allow_special = true;
  EXPECT_EQ(CountTokens(options, context)->all.tokens, 1U);
}

TEST_F(CountTokensTest, ErrorsNameTheFile) {
  CountTokensOptions options;
  options.input.paths = {folder_ + "/none.txt"};
  options.tokenizer = kData + "/gpt2.json";
  RunContext context;
  EXPECT_THAT(Message(CountTokens(options, context).status()), HasSubstr("none.txt"));
  options.tokenizer = folder_ + "/none.json";
  EXPECT_THAT(Message(CountTokens(options, context).status()), HasSubstr("none.json"));
}

}  // namespace
}  // namespace rhodes
