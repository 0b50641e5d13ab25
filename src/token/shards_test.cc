#include "token/shards.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <random>

#include "base/file.h"
#include "token/shard_writer.h"

namespace rhodes {
namespace {

using ::testing::HasSubstr;

class ShardsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = ::testing::TempDir() + "rhodes_shards_" + std::to_string(getpid());
    ASSERT_TRUE(RemoveTree(directory_).ok());
    ASSERT_TRUE(CreateDirectories(directory_).ok());
  }
  void TearDown() override { ASSERT_TRUE(RemoveTree(directory_).ok()); }

  template <typename Word>
  void Write(TokenWidth width, uint64_t corpus_rows, uint64_t shard_tokens) {
    std::mt19937 random(7);
    ShardWriter writer(directory_, "train", width, corpus_rows, shard_tokens);
    for (int d = 0; d < 500; ++d) {
      std::vector<Word> words(1 + random() % 30);
      for (Word& word : words) word = static_cast<Word>(random() % 60000);
      documents_.emplace_back(words.begin(), words.end());
      rows_.push_back(random() % corpus_rows);
      ASSERT_TRUE(
          writer.Append({reinterpret_cast<const uint8_t*>(words.data()), words.size() * sizeof(Word)}, rows_.back(), 10)
              .ok());
    }
    ASSERT_TRUE(writer.Finish().ok());
  }
  void ExpectReadsBack() const {
    const absl::StatusOr<std::unique_ptr<ShardSet>> set = ShardSet::Open(directory_, "train");
    ASSERT_TRUE(set.ok()) << set.status();
    ASSERT_EQ((*set)->document_count(), documents_.size());
    EXPECT_EQ((*set)->text_bytes(), 10 * documents_.size());
    uint64_t position = 0;
    for (uint64_t d = 0; d < documents_.size(); ++d) {
      ASSERT_EQ((*set)->DocumentBegin(d), position);
      ASSERT_EQ((*set)->CorpusRow(d), rows_[d]);
      std::vector<TokenId> tokens(documents_[d].size());
      (*set)->Read(position, tokens);
      ASSERT_EQ(tokens, documents_[d]);
      ASSERT_EQ((*set)->DocumentOf(position), d);
      position += tokens.size();
      ASSERT_EQ((*set)->DocumentOf(position - 1), d);
    }
    EXPECT_EQ((*set)->token_count(), position);
    EXPECT_EQ((*set)->DocumentBegin(documents_.size()), position);
    std::vector<TokenId> wrapped(2);
    (*set)->Read(position - 1, wrapped);
    EXPECT_EQ(wrapped[0], documents_.back().back());
    EXPECT_EQ(wrapped[1], documents_[0][0]);
  }

  std::string directory_;
  std::vector<std::vector<TokenId>> documents_;
  std::vector<uint64_t> rows_;
};

TEST_F(ShardsTest, WhatIsWrittenIsReadAcrossShardsWithItsLineage) {
  Write<uint16_t>(TokenWidth::kUint16, 100003, 1000);
  EXPECT_TRUE(PathExists(directory_ + "/train-00005.bin"));
  ExpectReadsBack();
}

TEST_F(ShardsTest, WideTokensAndEveryNumberOfRowBits) {
  for (const uint64_t rows :
       {uint64_t{1}, uint64_t{2}, uint64_t{3}, uint64_t{1} << 20, uint64_t{1} << 33, uint64_t{1} << 62}) {
    TearDown();
    SetUp();
    documents_.clear();
    rows_.clear();
    Write<uint32_t>(TokenWidth::kInt32, rows, uint64_t{1} << 30);
    ExpectReadsBack();
  }
}

// Offsets by hand from Megatron-LM's indexed_dataset.py.
TEST_F(ShardsTest, TheIndexHasMegatronsLayout) {
  ShardWriter writer(directory_, "train", TokenWidth::kUint16, 2);
  const uint16_t first[] = {1, 2, 3};
  const uint16_t second[] = {4};
  ASSERT_TRUE(writer.Append({reinterpret_cast<const uint8_t*>(first), 6}, 0, 1).ok());
  ASSERT_TRUE(writer.Append({reinterpret_cast<const uint8_t*>(second), 2}, 1, 1).ok());
  ASSERT_TRUE(writer.Finish().ok());
  const std::string index = *ReadFile(directory_ + "/train-00000.idx");
  const std::string expected(
      "MMIDIDX\0\0"
      "\1\0\0\0\0\0\0\0"
      "\x8"
      "\2\0\0\0\0\0\0\0"
      "\3\0\0\0\0\0\0\0"
      "\3\0\0\0\1\0\0\0"
      "\0\0\0\0\0\0\0\0"
      "\6\0\0\0\0\0\0\0"
      "\0\0\0\0\0\0\0\0"
      "\1\0\0\0\0\0\0\0"
      "\2\0\0\0\0\0\0\0",
      34 + 8 + 16 + 24);
  EXPECT_EQ(index, expected);
  EXPECT_EQ(*ReadFile(directory_ + "/train-00000.bin"), std::string("\1\0\2\0\3\0\4\0", 8));
}

TEST_F(ShardsTest, DamageIsNamed) {
  Write<uint16_t>(TokenWidth::kUint16, 1000, uint64_t{1} << 30);
  for (const char* suffix : {".bin", ".idx", ".lineage"}) {
    const std::string path = directory_ + "/train-00000" + suffix;
    const std::string good = *ReadFile(path);
    std::string flipped = good;
    flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 1);
    for (const std::string& bad : {flipped, good.substr(0, good.size() - 1), std::string(), good + "x"}) {
      ASSERT_TRUE(WriteFileAtomically(path, bad).ok());
      const absl::Status status = ShardSet::Open(directory_, "train").status();
      EXPECT_TRUE(absl::IsDataLoss(status)) << suffix << " " << status;
      EXPECT_THAT(Message(status), HasSubstr("train-00000"));
    }
    ASSERT_TRUE(WriteFileAtomically(path, good).ok());
  }
  EXPECT_TRUE(ShardSet::Open(directory_, "train").ok());
  EXPECT_TRUE(absl::IsNotFound(ShardSet::Open(directory_, "validation").status()));
}

TEST_F(ShardsTest, TheFirstWrongPlaceIsNamedInEachFile) {
  Write<uint16_t>(TokenWidth::kUint16, 1000, uint64_t{1} << 30);
  const auto status_of = [&](const char* suffix, const std::function<void(std::string&)>& damage) {
    const std::string path = directory_ + "/train-00000" + suffix;
    const std::string good = *ReadFile(path);
    std::string bad = good;
    damage(bad);
    EXPECT_TRUE(WriteFileAtomically(path, bad).ok());
    const std::string said = Message(ShardSet::Open(directory_, "train").status());
    EXPECT_TRUE(WriteFileAtomically(path, good).ok());
    return said;
  };
  const uint64_t bytes = *FileSize(directory_ + "/train-00000.bin");
  EXPECT_THAT(status_of(".bin", [](std::string& file) { file[100] = static_cast<char>(file[100] ^ 1); }),
              HasSubstr(fmt::format("train-00000.bin: bytes 0 to {}: the checksum is wrong", bytes)));
  EXPECT_THAT(status_of(".bin", [](std::string& file) { file.resize(4321); }),
              HasSubstr(fmt::format("train-00000.bin: ends at byte 4321, {} were written", bytes)));
  // Behind a header of 34 bytes: 500 lengths of 4 bytes, 500 offsets of 8, 501 borders of 8.
  EXPECT_THAT(status_of(".idx", [](std::string& file) { file[34 + 4 * 7] = 99; }),
              HasSubstr("train-00000.idx: byte 62: sequence 7 does not lie where its lineage says"));
  EXPECT_THAT(status_of(".idx", [](std::string& file) { file[34 + 2000 + 8 * 9] = 99; }),
              HasSubstr("train-00000.idx: byte 2106: sequence 9 does not lie"));
  EXPECT_THAT(status_of(".idx", [](std::string& file) { file[34 + 6000 + 8 * 3] = 99; }),
              HasSubstr("train-00000.idx: byte 6058: border 3 is not sequence 3"));
  EXPECT_THAT(status_of(".idx", [](std::string& file) { file.resize(5000); }),
              HasSubstr("train-00000.idx: its 5000 bytes are not those of 500 documents"));
  ASSERT_TRUE(RemoveTree(directory_ + "/train-00000.bin").ok());
  EXPECT_THAT(Message(ShardSet::Open(directory_, "train").status()), HasSubstr("train-00000.bin: it is not there"));
}

}  // namespace
}  // namespace rhodes
