#include "project/check_shards.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/file.h"
#include "token/tokenize.h"

namespace rhodes {
namespace {

using ::testing::HasSubstr;

class CheckShardsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = ::testing::TempDir() + "rhodes_check_shards_" + std::to_string(getpid());
    ASSERT_TRUE(RemoveTree(root_).ok());
    ASSERT_TRUE(CreateDirectories(root_).ok());
    std::string lines;
    for (int i = 0; i < 200; ++i) lines += fmt::format("{{\"text\":\"a text of number {}\"}}\n", i * i);
    ASSERT_TRUE(WriteFileAtomically(root_ + "/in.jsonl", lines).ok());
  }
  void TearDown() override { ASSERT_TRUE(RemoveTree(root_).ok()); }

  void Write(ShardFormat format) {
    TokenizeOptions options;
    options.inputs = {root_ + "/in.jsonl"};
    options.tokenizer = RHODES_SOURCE_DIR "/src/token/testdata/gpt2.json";
    options.shards = root_ + "/shards";
    options.shard_format = format;
    options.shard_tokens = 500;
    RunContext context;
    const absl::StatusOr<TokenizeReport> report = Tokenize(options, context);
    ASSERT_TRUE(report.ok()) << report.status();
  }
  CheckReport Check() {
    RunContext context;
    absl::StatusOr<CheckReport> report = CheckOut(root_ + "/shards", context);
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *std::move(report) : CheckReport();
  }

  std::string root_;
};

TEST_F(CheckShardsTest, AFolderOfShardsIsCheckedInEveryFormat) {
  for (const ShardFormat format : {ShardFormat::kMegatron, ShardFormat::kDatatrove, ShardFormat::kNanoGpt,
                                   ShardFormat::kLlmC, ShardFormat::kMds}) {
    Write(format);
    const CheckReport whole = Check();
    EXPECT_TRUE(whole.ok()) << FormatCheck(whole);
    EXPECT_EQ(whole.checked["documents"], 200);
    const std::vector<std::string> files = *ListFiles(root_ + "/shards");
    for (const std::string& path : files) {
      if (path.ends_with("manifest.json")) continue;
      const std::string good = *ReadFile(path);
      ASSERT_TRUE(WriteScratchFile(path, good.substr(0, good.size() - 1)).ok());
      const CheckReport damaged = Check();
      ASSERT_EQ(damaged.problems.size(), 1U) << FormatCheck(damaged);
      EXPECT_EQ(root_ + "/shards/" + damaged.problems[0].file, path);
      ASSERT_TRUE(WriteScratchFile(path, good).ok());
    }
  }
}

TEST_F(CheckShardsTest, AShardThatIsGoneAtTheEndIsSeenByTheCounts) {
  Write(ShardFormat::kMegatron);
  int last = 0;
  while (PathExists(fmt::format("{}/shards/train-{:05}.bin", root_, last + 1))) ++last;
  ASSERT_GT(last, 1);
  for (const char* suffix : {"bin", "idx", "lineage"}) {
    ASSERT_TRUE(RemoveTree(fmt::format("{}/shards/train-{:05}.{}", root_, last, suffix)).ok());
  }
  const CheckReport report = Check();
  ASSERT_EQ(report.problems.size(), 1U);
  EXPECT_EQ(report.problems[0].file, "manifest.json");
  EXPECT_THAT(report.problems[0].problem, HasSubstr("a shard at the end may be gone"));
}

}  // namespace
}  // namespace rhodes
