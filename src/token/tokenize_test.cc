#include "token/tokenize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

#include "base/file.h"
#include "base/hash.h"
#include "base/manifest.h"
#include "record/document_table.h"
#include "token/shards.h"
#include "token/tokenizer.h"

namespace rhodes {
namespace {

using ::testing::HasSubstr;

class TokenizeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    out_ = ::testing::TempDir() + "rhodes_tokenize_" + std::to_string(getpid());
    ASSERT_TRUE(RemoveTree(out_).ok());
    ASSERT_TRUE(CreateDirectories(out_ + "/corpus").ok());
  }
  void TearDown() override { ASSERT_TRUE(RemoveTree(out_).ok()); }

  void WriteCorpus(int count) {
    absl::StatusOr<std::unique_ptr<DocumentWriter>> writer = DocumentWriter::Create(out_ + "/corpus");
    for (int i = 0; i < count; ++i) {
      Document document;
      document.text = fmt::format("document number {} about the network وثيقة {}", i, i * i);
      document.id = ContentId({document.text});
      document.sources = i % 3 == 0 ? std::vector<std::string>{"a", "b"} : std::vector<std::string>{"a"};
      document.language = i % 2 == 0 ? "en" : "";
      texts_.push_back(document.text);
      ASSERT_TRUE((*writer)->Append(document).ok());
    }
    ASSERT_TRUE((*writer)->Finish().ok());
  }
  absl::StatusOr<TokenizeReport> Run(int threads = 2) {
    TokenizeOptions options;
    options.inputs = {out_ + "/corpus"};
    options.out = out_;
    options.vocabulary_size = 400;
    options.validation_share = 0.1;
    RunContext context;
    context.threads = threads;
    return Tokenize(options, context);
  }

  std::string out_;
  std::vector<std::string> texts_;
};

TEST_F(TokenizeTest, EveryDocumentIsInOneSplitWithItsTextAndItsRow) {
  WriteCorpus(500);
  const absl::StatusOr<TokenizeReport> report = Run();
  ASSERT_TRUE(report.ok()) << report.status();
  const std::unique_ptr<Tokenizer> tokenizer = *Tokenizer::Load(out_ + "/tokenizer.json");
  std::vector<int> seen(texts_.size());
  std::vector<uint64_t> order;
  for (const char* split : {"train", "validation"}) {
    const absl::StatusOr<std::unique_ptr<ShardSet>> shards = ShardSet::Open(out_ + "/shards", split);
    ASSERT_TRUE(shards.ok()) << shards.status();
    uint64_t bytes = 0;
    for (uint64_t d = 0; d < (*shards)->document_count(); ++d) {
      const uint64_t row = (*shards)->CorpusRow(d);
      std::vector<TokenId> tokens((*shards)->DocumentBegin(d + 1) - (*shards)->DocumentBegin(d));
      (*shards)->Read((*shards)->DocumentBegin(d), tokens);
      ASSERT_EQ(tokens.back(), tokenizer->end_of_text());
      tokens.pop_back();
      ASSERT_EQ(tokenizer->Decode(tokens), texts_[row]);
      ++seen[row];
      order.push_back(row);
      bytes += texts_[row].size();
    }
    EXPECT_EQ((*shards)->text_bytes(), bytes);
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), 500);
  EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
  EXPECT_EQ(report->train.documents + report->validation.documents, 500u);
  EXPECT_GT(report->validation.documents, 20u);
  EXPECT_EQ(report->by_source.at("a+b").documents, 167u);
  EXPECT_EQ(report->by_source.at("a").documents, 333u);
}

TEST_F(TokenizeTest, TheBytesDoNotDependOnTheThreads) {
  WriteCorpus(3000);
  ASSERT_TRUE(Run(1).ok());
  const std::string bin = *ReadFile(out_ + "/shards/train-00000.bin");
  const std::string lineage = *ReadFile(out_ + "/shards/train-00000.lineage");
  const std::string tokenizer = *ReadFile(out_ + "/tokenizer.json");
  ASSERT_TRUE(Run(5).ok());
  EXPECT_EQ(*ReadFile(out_ + "/shards/train-00000.bin"), bin);
  EXPECT_EQ(*ReadFile(out_ + "/shards/train-00000.lineage"), lineage);
  EXPECT_EQ(*ReadFile(out_ + "/tokenizer.json"), tokenizer);
}

TEST_F(TokenizeTest, TwoDocumentsAreTheFewest) {
  WriteCorpus(2);
  const absl::StatusOr<TokenizeReport> report = Run();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->train.documents, 1u);
  EXPECT_EQ(report->validation.documents, 1u);
  TearDown();
  SetUp();
  WriteCorpus(1);
  EXPECT_THAT(Message(Run().status()), HasSubstr("1 documents are too few"));
  EXPECT_FALSE(PathExists(out_ + "/shards"));
}

TEST_F(TokenizeTest, LineageTakesLessThanOneHundredthOfTheTokens) {
  absl::StatusOr<std::unique_ptr<DocumentWriter>> writer = DocumentWriter::Create(out_ + "/corpus");
  for (int i = 0; i < 2000; ++i) {
    Document document;
    for (int word = 0; word < 250; ++word) document.text += fmt::format("w{} ", i * 31 % 97 + word % 13);
    document.id = std::to_string(i);
    ASSERT_TRUE((*writer)->Append(document).ok());
  }
  ASSERT_TRUE((*writer)->Finish().ok());
  ASSERT_TRUE(Run().ok());
  EXPECT_LT(100 * *FileSize(out_ + "/shards/train-00000.lineage"), *FileSize(out_ + "/shards/train-00000.bin"));
}

}  // namespace
}  // namespace rhodes
