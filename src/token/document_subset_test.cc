#include "token/document_subset.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "token/tokenize.h"

namespace rhodes {
namespace {

// Shards of real files, so that what a subset reads can be compared with the documents it was cut from.
class DocumentSubsetTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(RemoveTree(root_).ok());
    ASSERT_TRUE(CreateDirectories(root_).ok());
    std::string lines;
    for (int i = 0; i < 40; ++i) {
      lines += fmt::format("{{\"id\":\"d{}\",\"text\":\"document {} {}\"}}\n", i, i, std::string(i % 7, 'x'));
    }
    ASSERT_TRUE(WriteFileAtomically(root_ + "/in.jsonl", lines).ok());
    TokenizeOptions options;
    options.inputs = {root_ + "/in.jsonl"};
    options.out = root_;
    options.vocabulary_size = 300;
    RunContext context;
    const absl::StatusOr<TokenizeReport> made = Tokenize(options, context);
    ASSERT_TRUE(made.ok()) << Message(made.status());
    tokenizer_ = *Tokenizer::Load(root_ + "/tokenizer.json");
    shards_ = *ShardSet::Open(root_ + "/shards", "train");
  }
  std::vector<TokenId> Tokens(const ShardSet& shards, uint64_t begin, uint64_t count) {
    std::vector<TokenId> tokens(count);
    shards.Read(begin, tokens);
    return tokens;
  }

  const std::string root_ = testing::TempDir() + "/rhodes_document_subset_test";
  std::unique_ptr<Tokenizer> tokenizer_;
  std::unique_ptr<ShardSet> shards_;
};

TEST_F(DocumentSubsetTest, HasTheDocumentsOneAfterAnotherAndWrapsAtTheEnd) {
  const std::vector<uint64_t> chosen = {1, 2, 5, 11, 30};
  const DocumentSubset subset(*shards_, *tokenizer_, chosen);
  std::vector<TokenId> all;
  uint64_t bytes = 0;
  for (size_t i = 0; i < chosen.size(); ++i) {
    const uint64_t begin = shards_->DocumentBegin(chosen[i]);
    const std::vector<TokenId> tokens = Tokens(*shards_, begin, shards_->DocumentBegin(chosen[i] + 1) - begin);
    EXPECT_EQ(subset.DocumentBegin(i), all.size());
    EXPECT_EQ(subset.DocumentOf(all.size()), i);
    EXPECT_EQ(subset.CorpusRow(i), shards_->CorpusRow(chosen[i]));
    all.insert(all.end(), tokens.begin(), tokens.end());
    bytes += tokenizer_->Decode({tokens.begin(), tokens.end() - 1}).size();
  }
  ASSERT_EQ(subset.token_count(), all.size());
  EXPECT_EQ(subset.text_bytes(), bytes);
  for (uint64_t begin = 0; begin < all.size(); ++begin) {
    const std::vector<TokenId> tokens = Tokens(subset, begin, all.size() + 3);
    for (size_t i = 0; i < tokens.size(); ++i) ASSERT_EQ(tokens[i], all[(begin + i) % all.size()]);
  }
}

TEST_F(DocumentSubsetTest, OfAllDocumentsIsTheSplitAndOfNoneIsEmpty) {
  std::vector<uint64_t> every(shards_->document_count());
  for (uint64_t d = 0; d < every.size(); ++d) every[d] = d;
  const DocumentSubset whole(*shards_, *tokenizer_, every);
  EXPECT_EQ(Tokens(whole, 3, shards_->token_count()), Tokens(*shards_, 3, shards_->token_count()));
  EXPECT_EQ(whole.text_bytes(), shards_->text_bytes());
  const DocumentSubset none(*shards_, *tokenizer_, {});
  EXPECT_EQ(none.token_count(), 0u);
  EXPECT_EQ(none.text_bytes(), 0u);
}

}  // namespace
}  // namespace rhodes
