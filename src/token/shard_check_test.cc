#include "token/shard_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <random>

#include "base/file.h"
#include "token/shard_lineage.h"
#include "token/shard_writer.h"

namespace rhodes {
namespace {

using ::testing::HasSubstr;

constexpr ShardFormat kFormats[] = {ShardFormat::kMegatron, ShardFormat::kDatatrove, ShardFormat::kNanoGpt,
                                    ShardFormat::kLlmC, ShardFormat::kMds};

class ShardCheckTest : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = ::testing::TempDir() + "rhodes_shard_check_" + std::to_string(getpid());
    ASSERT_TRUE(RemoveTree(directory_).ok());
    ASSERT_TRUE(CreateDirectories(directory_).ok());
  }
  void TearDown() override { ASSERT_TRUE(RemoveTree(directory_).ok()); }

  // 300 documents of up to 60 tokens, about 2,000 a shard.
  void Write(ShardFormat format, TokenWidth width) {
    std::mt19937 random(5);
    absl::StatusOr<ShardWriter> writer = ShardWriter::Create(
        {format, directory_, "train", width, format == ShardFormat::kNanoGpt ? 0U : 2000U, "t|k"}, 300);
    ASSERT_TRUE(writer.ok()) << writer.status();
    for (uint64_t d = 0; d < 300; ++d) {
      std::vector<TokenId> ids(random() % 60);
      for (TokenId& id : ids) id = random() % 60000;
      ids.push_back(60000);
      std::vector<uint8_t> stored;
      StoreTokens(ids, width, stored);
      tokens_ += d == 0 ? 0 : ids.size();
      ASSERT_TRUE(writer->Append(stored, 299 - d, 3).ok());
    }
    ASSERT_TRUE(writer->Finish().ok());
  }
  ShardCheck Check() const {
    RunContext context;
    absl::StatusOr<ShardCheck> check = CheckShards(directory_, "train", context);
    EXPECT_TRUE(check.ok()) << check.status();
    return check.ok() ? *std::move(check) : ShardCheck();
  }

  std::string directory_;
  uint64_t tokens_ = 0;
};

TEST_F(ShardCheckTest, WhatIsWrittenIsRightInEveryFormatAndWidth) {
  for (const ShardFormat format : kFormats) {
    for (const TokenWidth width : {TokenWidth::kUint16, TokenWidth::kInt32}) {
      if (format == ShardFormat::kNanoGpt && width == TokenWidth::kInt32) continue;
      SetUp();
      Write(format, width);
      const ShardCheck check = Check();
      EXPECT_EQ(check.format, format);
      EXPECT_EQ(check.documents, 300U);
      EXPECT_EQ(check.text_bytes, 900U);
      EXPECT_EQ(check.rows.front(), 299U);
      EXPECT_EQ(check.rows.back(), 0U);
      if (format != ShardFormat::kNanoGpt) {
        EXPECT_GT(check.shards, 3U);
      }
      for (const ShardProblem& problem : check.problems) ADD_FAILURE() << problem.path << ": " << problem.what;
    }
  }
}

TEST_F(ShardCheckTest, EveryFlippedByteAndEveryCutIsNamedWithItsFile) {
  for (const ShardFormat format : kFormats) {
    SetUp();
    Write(format, TokenWidth::kUint16);
    const std::vector<std::string> files = *ListFiles(directory_);
    for (const std::string& path : files) {
      const std::string good = *ReadFile(path);
      // What stands in front of '|' is a name that a folder of shards cannot know.
      const size_t first = path.ends_with(".metadata") ? good.find('|') + 1 : 0;
      std::vector<std::string> damaged = {good.substr(0, good.size() - 1), good + "x"};
      for (size_t i = 0; i < 10; ++i) {
        std::string& bad = damaged.emplace_back(good);
        char& byte = bad[first + (good.size() - 1 - first) * i / 9];
        byte = static_cast<char>(byte ^ 1);
      }
      for (const std::string& bad : damaged) {
        ASSERT_TRUE(WriteScratchFile(path, bad).ok());
        const ShardCheck check = Check();
        ASSERT_FALSE(check.problems.empty()) << path;
        EXPECT_EQ(check.problems[0].path, path) << check.problems[0].what;
      }
      ASSERT_TRUE(RemoveTree(path).ok());
      if (format != ShardFormat::kNanoGpt || PathExists(LineagePath(path))) {
        const ShardCheck check = Check();
        ASSERT_FALSE(check.problems.empty()) << path;
        EXPECT_EQ(check.problems[0].path, path) << check.problems[0].what;
      }
      ASSERT_TRUE(WriteScratchFile(path, good).ok());
    }
    EXPECT_TRUE(Check().problems.empty());
  }
}

TEST_F(ShardCheckTest, TheFirstWrongByteIsNamed) {
  Write(ShardFormat::kDatatrove, TokenWidth::kUint16);
  const std::string path = directory_ + "/train/train-00001.ds";
  std::string data = *ReadFile(path);
  data[77] = static_cast<char>(data[77] ^ 1);
  ASSERT_TRUE(WriteScratchFile(path, data).ok());
  std::string index = *ReadFile(directory_ + "/train/train-00002.ds.index");
  index[80] = static_cast<char>(index[80] ^ 1);
  ASSERT_TRUE(WriteScratchFile(directory_ + "/train/train-00002.ds.index", index).ok());
  const ShardCheck check = Check();
  ASSERT_EQ(check.problems.size(), 2U);
  EXPECT_EQ(check.problems[0].path, path);
  EXPECT_THAT(check.problems[0].what, HasSubstr(fmt::format("bytes 0 to {}: the checksum is wrong", data.size())));
  EXPECT_EQ(check.problems[1].path, directory_ + "/train/train-00002.ds.index");
  EXPECT_THAT(check.problems[1].what, HasSubstr("byte 80: it is not what"));
}

TEST_F(ShardCheckTest, AShardThatIsMissingBetweenOthersIsNamed) {
  Write(ShardFormat::kMegatron, TokenWidth::kUint16);
  for (const char* suffix : {".bin", ".idx", ".lineage"}) {
    ASSERT_TRUE(RemoveTree(directory_ + "/train-00001" + suffix).ok());
  }
  const ShardCheck check = Check();
  ASSERT_EQ(check.problems.size(), 1U);
  EXPECT_EQ(check.problems[0].path, directory_ + "/train-00001.bin");
}

TEST_F(ShardCheckTest, AFolderWithoutShardsIsNotFound) {
  RunContext context;
  EXPECT_TRUE(absl::IsNotFound(CheckShards(directory_, "train", context).status()));
}

// A block lies at the end of one call's documents and the beginning of the next one's; documents are longer than one.
TEST_F(ShardCheckTest, BlocksAreFilledAcrossCallsWhateverTheThreads) {
  std::mt19937 random(9);
  std::vector<std::vector<uint8_t>> documents;
  for (int d = 0; d < 300; ++d) {
    std::vector<uint8_t>& bytes = documents.emplace_back(2 * (1 + random() % (d % 100 == 0 ? 1'500'000 : 8'000)));
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  }
  for (const ShardFormat format : kFormats) {
    std::vector<std::string> written;
    for (const int threads : {0, 1, 3}) {  // 0: a document at a time
      SetUp();
      absl::StatusOr<ShardWriter> writer =
          ShardWriter::Create({format, directory_, "train", TokenWidth::kUint16, 0, ""}, 300);
      ASSERT_TRUE(writer.ok()) << writer.status();
      std::vector<StoredDocument> stored;
      for (size_t d = 0; d < documents.size(); ++d) {
        if (threads == 0) {
          ASSERT_TRUE(writer->Append(documents[d], d, 1).ok());
        } else {
          stored.push_back({documents[d], d, 1});
        }
      }
      for (size_t begin = 0; begin < stored.size(); begin += 70) {
        const size_t count = std::min<size_t>(70, stored.size() - begin);
        // What is handed over is the caller's again behind the call.
        std::vector<std::vector<uint8_t>> copies(documents.begin() + static_cast<std::ptrdiff_t>(begin),
                                                 documents.begin() + static_cast<std::ptrdiff_t>(begin + count));
        for (size_t i = 0; i < count; ++i) stored[begin + i].tokens = copies[i];
        ASSERT_TRUE(writer->AppendAll({stored.data() + begin, count}, threads).ok());
        for (std::vector<uint8_t>& copy : copies) std::fill(copy.begin(), copy.end(), uint8_t{0xEE});
      }
      ASSERT_TRUE(writer->Finish().ok());
      EXPECT_TRUE(Check().problems.empty());
      std::string all;
      const std::vector<std::string> files = *ListFiles(directory_);
      for (const std::string& path : files) all += path + "\n" + *ReadFile(path);
      written.push_back(std::move(all));
    }
    EXPECT_TRUE(written[0] == written[1]) << ShardFormatName(format);
    EXPECT_TRUE(written[0] == written[2]) << ShardFormatName(format);
  }
}

}  // namespace
}  // namespace rhodes
