#include "token/shard_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/file.h"
#include "token/shard_writer.h"

namespace rhodes {
namespace {

using ::testing::HasSubstr;

// The goldens were written by datatrove 0.10.0, mosaicml-streaming 0.13.0, llm.c's data_common.py and NumPy:
// bench/peers/shard_readers.py --goldens.
const std::string kGoldens = RHODES_SOURCE_DIR "/src/token/testdata/shards";

// The same documents as golden_documents() there.
std::vector<std::vector<TokenId>> GoldenDocuments(uint64_t vocabulary) {
  std::vector<std::vector<TokenId>> documents;
  uint64_t i = 0;
  for (const uint64_t length : {1, 2, 3, 17, 254, 255, 256, 300, 5, 64, 1, 9}) {
    std::vector<TokenId> tokens;
    for (uint64_t j = 0; j + 1 < length; ++j) {
      tokens.push_back(static_cast<TokenId>((j * 7919 + i * 104729 + j * j * 31) % (vocabulary - 1)));
    }
    tokens.push_back(static_cast<TokenId>(vocabulary - 1));
    documents.push_back(std::move(tokens));
    ++i;
  }
  return documents;
}

class ShardFormatTest : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = ::testing::TempDir() + "rhodes_shard_format_" + std::to_string(getpid());
    ASSERT_TRUE(RemoveTree(directory_).ok());
    ASSERT_TRUE(CreateDirectories(directory_).ok());
  }
  void TearDown() override { ASSERT_TRUE(RemoveTree(directory_).ok()); }

  void Write(ShardFormat format, TokenWidth width, uint64_t shard_tokens = 0, const std::string& split = "train") {
    documents_ = GoldenDocuments(width == TokenWidth::kUint16 ? 50257 : 128256);
    absl::StatusOr<ShardWriter> writer =
        ShardWriter::Create({format, directory_, split, width, shard_tokens, "golden/tokenizer.json"}, 100);
    ASSERT_TRUE(writer.ok()) << writer.status();
    for (size_t d = 0; d < documents_.size(); ++d) {
      std::vector<uint8_t> stored;
      StoreTokens(documents_[d], width, stored);
      ASSERT_TRUE(writer->Append(stored, 99 - d, 10 * d).ok());
    }
    ASSERT_TRUE(writer->Finish().ok());
  }
  void ExpectSame(const std::string& ours, const std::string& golden) const {
    const absl::StatusOr<std::string> written = ReadFile(directory_ + "/" + ours);
    ASSERT_TRUE(written.ok()) << written.status();
    const absl::StatusOr<std::string> expected = ReadFile(kGoldens + "/" + golden);
    ASSERT_TRUE(expected.ok()) << expected.status();
    EXPECT_TRUE(*written == *expected) << ours << " is not " << golden;
  }
  // Documents `first` to `last` are in the shard, with their rows and ends.
  void ExpectLineage(const std::string& data_file, size_t first, size_t last) const {
    const std::string data = *ReadFile(directory_ + "/" + data_file);
    const std::string table = *ReadFile(LineagePath(directory_ + "/" + data_file));
    const absl::StatusOr<Lineage> lineage = Lineage::Parse(table, "table");
    ASSERT_TRUE(lineage.ok()) << lineage.status();
    ASSERT_EQ(lineage->documents(), last - first + 1);
    uint64_t end = 0;
    uint64_t text_bytes = 0;
    for (size_t d = first; d <= last; ++d) {
      EXPECT_EQ(lineage->CorpusRow(d - first), 99 - d);
      EXPECT_EQ(lineage->DocumentBegin(d - first), end);
      end += documents_[d].size();
      text_bytes += 10 * d;
    }
    EXPECT_EQ(lineage->header().tokens, end);
    EXPECT_EQ(lineage->header().text_bytes, text_bytes);
    EXPECT_TRUE(lineage->CheckData(data, "data").ok());
  }

  std::string directory_;
  std::vector<std::vector<TokenId>> documents_;
};

constexpr TokenWidth kWidths[] = {TokenWidth::kUint16, TokenWidth::kInt32};

TEST_F(ShardFormatTest, Megatron_IsWhatDatatroveWrites) {
  for (const TokenWidth width : kWidths) {
    Write(ShardFormat::kMegatron, width);
    const std::string golden = "golden" + std::to_string(static_cast<int>(width));
    ExpectSame("train-00000.bin", golden + ".bin");
    ExpectSame("train-00000.idx", golden + ".idx");
    ExpectLineage("train-00000.bin", 0, 11);
  }
}

TEST_F(ShardFormatTest, Datatrove_IsWhatDatatroveWrites) {
  for (const TokenWidth width : kWidths) {
    Write(ShardFormat::kDatatrove, width);
    const std::string golden = "golden" + std::to_string(static_cast<int>(width)) + ".ds";
    ExpectSame("train/train-00000.ds", golden);
    ExpectSame("train/train-00000.ds.index", golden + ".index");
    ExpectSame("train/train-00000.ds.metadata", golden + ".metadata");
    ExpectLineage("train/train-00000.ds", 0, 11);
  }
}

TEST_F(ShardFormatTest, NanoGpt_IsTheTokensAlone) {
  Write(ShardFormat::kNanoGpt, TokenWidth::kUint16, 0, "validation");
  ExpectSame("val.bin", "nanogpt.bin");
  ExpectLineage("val.bin", 0, 11);
}

TEST_F(ShardFormatTest, LlmC_IsWhatItsWriterWritesWithTheEndOfTextFirst) {
  for (const TokenWidth width : kWidths) {
    Write(ShardFormat::kLlmC, width);
    ExpectSame("train_000000.bin", fmt::format("llmc{}.bin", static_cast<int>(width)));
    ExpectLineage("train_000000.bin", 0, 11);
  }
}

TEST_F(ShardFormatTest, Mds_IsWhatStreamingWritesInOneShardAndInSeveral) {
  for (const TokenWidth width : kWidths) {
    Write(ShardFormat::kMds, width);
    const int bytes = static_cast<int>(width);
    ExpectSame("train/index.json", fmt::format("mds{}_67108864/index.json", bytes));
    ExpectSame("train/shard.00000.mds", fmt::format("mds{}_67108864/shard.00000.mds", bytes));
    ExpectLineage("train/shard.00000.mds", 0, 11);
    // With limits that end shards between documents, and that some documents are longer than.
    for (const uint64_t limit : {512, 2048}) {
      TearDown();
      SetUp();
      Write(ShardFormat::kMds, width, limit / static_cast<uint64_t>(bytes));
      const std::string golden = fmt::format("mds{}_{}", bytes, limit);
      ExpectSame("train/index.json", golden + "/index.json");
      const bool narrow = width == TokenWidth::kUint16;
      const int shards = limit == 512 ? (narrow ? 6 : 7) : (narrow ? 2 : 4);
      for (int shard = 0; shard < shards; ++shard) {
        ExpectSame(fmt::format("train/shard.{:05}.mds", shard), fmt::format("{}/shard.{:05}.mds", golden, shard));
      }
      EXPECT_FALSE(PathExists(fmt::format("{}/train/shard.{:05}.mds", directory_, shards)));
    }
    if (width == TokenWidth::kUint16) {
      ExpectLineage("train/shard.00000.mds", 0, 6);
      ExpectLineage("train/shard.00001.mds", 7, 11);
    }
  }
}

TEST_F(ShardFormatTest, ShardsEndWithTheDocumentThatReachesTheirTokens) {
  Write(ShardFormat::kLlmC, TokenWidth::kUint16, 500);
  ExpectLineage("train_000000.bin", 0, 5);  // 1 + 2 + 3 + 17 + 254 + 255
  ExpectLineage("train_000001.bin", 6, 7);
  ExpectLineage("train_000002.bin", 8, 11);
  EXPECT_FALSE(PathExists(directory_ + "/train_000003.bin"));
}

TEST_F(ShardFormatTest, Names) {
  for (const ShardFormat format : {ShardFormat::kMegatron, ShardFormat::kDatatrove, ShardFormat::kNanoGpt,
                                   ShardFormat::kLlmC, ShardFormat::kMds}) {
    const absl::StatusOr<ShardFormat> named = ShardFormatFromName(ShardFormatName(format));
    ASSERT_TRUE(named.ok());
    EXPECT_EQ(*named, format);
  }
  EXPECT_EQ(ExitCodeOf(ShardFormatFromName("npy").status()), ExitCode::kUsage);
  EXPECT_THAT(Message(ShardFormatFromName("npy").status()), HasSubstr("known: megatron, ds"));
}

TEST_F(ShardFormatTest, TheWidthIsChosenAsTheFormatsWritersDo) {
  EXPECT_EQ(*WidthFor(ShardFormat::kMegatron, 65499), TokenWidth::kUint16);
  EXPECT_EQ(*WidthFor(ShardFormat::kMegatron, 65500), TokenWidth::kInt32);
  EXPECT_EQ(*WidthFor(ShardFormat::kDatatrove, 65536), TokenWidth::kUint16);
  EXPECT_EQ(*WidthFor(ShardFormat::kDatatrove, 65537), TokenWidth::kInt32);
  EXPECT_EQ(*WidthFor(ShardFormat::kNanoGpt, 65536), TokenWidth::kUint16);
  const absl::Status refused = WidthFor(ShardFormat::kNanoGpt, 65537).status();
  EXPECT_EQ(ExitCodeOf(refused), ExitCode::kUsage);
  EXPECT_THAT(Message(refused), HasSubstr("the tokenizer has 65537"));
}

TEST_F(ShardFormatTest, MoreTokensThanAShardCanHoldAreRefused) {
  const auto make = [&](ShardFormat format, uint64_t tokens) {
    return ExitCodeOf(ShardWriter::Create({format, directory_, "train", TokenWidth::kUint16, tokens, ""}, 1).status());
  };
  EXPECT_EQ(make(ShardFormat::kLlmC, INT32_MAX), ExitCode::kDone);
  EXPECT_EQ(make(ShardFormat::kLlmC, uint64_t{INT32_MAX} + 1), ExitCode::kUsage);
  EXPECT_EQ(make(ShardFormat::kMds, uint64_t{1} << 29), ExitCode::kDone);
  EXPECT_EQ(make(ShardFormat::kMds, (uint64_t{1} << 29) + 1), ExitCode::kUsage);
}

// From humanize.metric(tokens, unit="T"), which datatrove calls.
TEST_F(ShardFormatTest, ReadableTokens_AreWrittenAsHumanizeDoes) {
  EXPECT_EQ(ReadableTokens(0), "0.00 T");
  EXPECT_EQ(ReadableTokens(7), "7.00 T");
  EXPECT_EQ(ReadableTokens(42), "42.0 T");
  EXPECT_EQ(ReadableTokens(999), "999 T");
  EXPECT_EQ(ReadableTokens(1167), "1.17 kT");
  EXPECT_EQ(ReadableTokens(9999), "10.0 kT");
  EXPECT_EQ(ReadableTokens(99950), "100 kT");
  EXPECT_EQ(ReadableTokens(999499), "999 kT");
  EXPECT_EQ(ReadableTokens(999999), "1.00 MT");
  EXPECT_EQ(ReadableTokens(1234567), "1.23 MT");
  EXPECT_EQ(ReadableTokens(30000000000), "30.0 GT");
}

}  // namespace
}  // namespace rhodes
