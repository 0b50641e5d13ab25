#include "token/train_tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <set>

#include "base/file.h"
#include "token/tokenizer.h"

namespace rhodes {
namespace {

using ::testing::HasSubstr;

class TrainTokenizerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "rhodes_train_tokenizer_" + std::to_string(getpid());
    ASSERT_TRUE(RemoveTree(folder_).ok());
    ASSERT_TRUE(CreateDirectories(folder_).ok());
    std::string lines;
    const auto add = [&](std::string text, const char* language, const char* source) {
      lines += fmt::format("{{\"text\":\"{}\",\"language\":\"{}\",\"sources\":[\"{}\"]}}\n", text, language, source);
      documents_.push_back({std::move(text), source});
    };
    for (int i = 0; i < 300; ++i) {
      add(fmt::format("the network number {} of the other networks", i), "en", i % 2 == 0 ? "web" : "news");
      if (i % 30 == 0) add("الشبكة والكتاب في المدينة", "ar", "web");
    }
    EXPECT_TRUE(WriteFileAtomically(folder_ + "/all.jsonl", lines).ok());
    options_.input.paths = {folder_ + "/all.jsonl"};
    options_.vocabulary_size = 330;
    options_.pattern = "gpt2";
  }
  void TearDown() override { ASSERT_TRUE(RemoveTree(folder_).ok()); }

  struct Made {
    std::string text;
    std::string source;
  };
  std::string folder_;
  std::vector<Made> documents_;
  TrainTokenizerOptions options_;
  RunContext context_;
};

TEST_F(TrainTokenizerTest, TheReportIsWhatEncodingTheDocumentsGives) {
  const auto training = TrainTokenizer(options_, context_);
  ASSERT_TRUE(training.ok()) << Message(training.status());
  const std::unique_ptr<Tokenizer> tokenizer = *Tokenizer::Parse(training->tokenizer_json, "trained");
  EXPECT_EQ(training->vocabulary_size, tokenizer->vocabulary_size());
  for (const char* const source : {"news", "web"}) {
    uint64_t tokens = 0;
    std::set<TokenId> vocabulary;
    for (const Made& document : documents_) {
      if (document.source != source) continue;
      std::vector<TokenId> ids;
      tokenizer->Encode(document.text, ids);
      tokens += ids.size();
      vocabulary.insert(ids.begin(), ids.end());
    }
    EXPECT_EQ(training->by_source.at(source).tokens, tokens);
    EXPECT_EQ(training->by_source.at(source).vocabulary, vocabulary.size());
  }
  EXPECT_EQ(training->by_language.at("ar").documents, 10U);
  EXPECT_EQ(training->by_language.at("ar").characters, 250U);
  EXPECT_EQ(training->by_language.at("ar").words, 40U);
  EXPECT_EQ(training->by_language.at("en").whole_characters, training->by_language.at("en").characters);
  EXPECT_EQ(training->all.documents, documents_.size());
}

TEST_F(TrainTokenizerTest, CharactersThatTokensCutAreNotWhole) {
  options_.vocabulary_size = 257;  // bytes alone: every Arabic letter is cut, a space is not
  const auto training = TrainTokenizer(options_, context_);
  ASSERT_TRUE(training.ok());
  EXPECT_EQ(training->by_language.at("ar").whole_characters, 30U);
  EXPECT_EQ(training->by_language.at("ar").tokens, training->by_language.at("ar").bytes);
}

TEST_F(TrainTokenizerTest, WeightsByLanguageHelpTheSmallOne) {
  const auto plain = TrainTokenizer(options_, context_);
  ASSERT_TRUE(AddWeight("language=equal", options_.weights).ok());
  const auto equal = TrainTokenizer(options_, context_);
  ASSERT_TRUE(plain.ok() && equal.ok());
  EXPECT_LT(equal->by_language.at("ar").tokens, plain->by_language.at("ar").tokens);
  EXPECT_GT(equal->by_language.at("ar").weight, 10);
  EXPECT_EQ(plain->by_language.at("ar").weight, 1);
}

TEST_F(TrainTokenizerTest, SpecialTokensStandBehindEndOfTextAndAreCounted) {
  options_.special = {"<|user|>", "<|assistant|>"};
  const auto training = TrainTokenizer(options_, context_);
  ASSERT_TRUE(training.ok()) << Message(training.status());
  EXPECT_EQ(training->vocabulary_size, 330U);
  EXPECT_EQ(training->merges, 330U - 256 - 3);
  const std::unique_ptr<Tokenizer> tokenizer = *Tokenizer::Parse(training->tokenizer_json, "trained");
  EXPECT_EQ(tokenizer->end_of_text(), 327U);
  EXPECT_EQ(tokenizer->TokenBytes(328), "<|user|>");
  EXPECT_TRUE(tokenizer->IsSpecial(329));
  std::vector<TokenId> ids;
  tokenizer->Encode("<|assistant|>", ids, true);
  EXPECT_EQ(ids, std::vector<TokenId>{329});
}

TEST_F(TrainTokenizerTest, SpecialTokensThatCannotBeAreRefused) {
  const auto error = [&](const std::vector<std::string>& special) {
    options_.special = special;
    const absl::Status status = TrainTokenizer(options_, context_).status();
    EXPECT_EQ(ExitCodeOf(status), ExitCode::kUsage);
    return Message(status);
  };
  EXPECT_THAT(error({""}), HasSubstr("the special token \"\" is empty"));
  EXPECT_THAT(error({"<|endoftext|>"}), HasSubstr("is there twice"));
  EXPECT_THAT(error({" network"}), HasSubstr("\" network\" is an ordinary word of the texts"));
  options_.vocabulary_size = 258;
  EXPECT_THAT(error({"<|a|>", "<|b|>"}), HasSubstr("must be 259 to 262144; all are counted: 256 bytes, merges, and 3"));
}

}  // namespace
}  // namespace rhodes
