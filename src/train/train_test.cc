#include "train/train.h"

#include <gtest/gtest.h>

#include "base/status.h"

namespace rhodes {
namespace {

TEST(Train, RefusesAnUnclearBudgetAndRatesOutOfRange) {
  RunContext context;
  TrainOptions options;
  EXPECT_EQ(ExitCodeOf(Train(options, context).status()), ExitCode::kUsage);
  options.steps = 10;
  options.minutes = 1;
  const absl::Status two = Train(options, context).status();
  EXPECT_EQ(ExitCodeOf(two), ExitCode::kUsage);
  EXPECT_NE(Message(two).find("exactly one budget"), std::string::npos) << Message(two);
  options.minutes = 0;
  options.schedule.peak = 0;
  EXPECT_EQ(ExitCodeOf(Train(options, context).status()), ExitCode::kUsage);
}

TEST(Train, NamesTheFileThatIsMissing) {
  RunContext context;
  TrainOptions options;
  options.steps = 10;
  options.tokenizer = testing::TempDir() + "/no-such-tokenizer.json";
  const absl::Status status = Train(options, context).status();
  EXPECT_EQ(ExitCodeOf(status), ExitCode::kFailed);
  EXPECT_NE(Message(status).find("no-such-tokenizer.json"), std::string::npos) << Message(status);
}

TEST(Train, PresetsHaveTheStatedShapes) {
  const ModelConfig config = *PresetConfig("14m");
  EXPECT_EQ(config.layers, 6);
  EXPECT_EQ(config.heads, 6);
  EXPECT_EQ(config.hidden_size, 384);
  EXPECT_EQ(config.vocabulary_size, 8192);
  EXPECT_EQ(PresetConfig("124m")->heads, 12);
  EXPECT_EQ(PresetConfig("124m")->vocabulary_size, 50304);
  EXPECT_EQ(PresetConfig("1.4m")->heads, 4);
  EXPECT_NEAR(static_cast<double>(config.ParameterCount()), 14e6, 0.5e6);
  EXPECT_NEAR(static_cast<double>(PresetConfig("124m")->ParameterCount()), 124e6, 1e6);
  EXPECT_NEAR(static_cast<double>(PresetConfig("1.4m")->ParameterCount()), 1.4e6, 0.05e6);
  const ModelConfig grok2 = *PresetConfig("grok2-60m");
  EXPECT_EQ(grok2.experts, 8);
  EXPECT_EQ(grok2.experts_per_token, 2);
  EXPECT_NEAR(static_cast<double>(grok2.ParameterCount()), 60e6, 3e6);
  for (const std::string& name : PresetNames()) {
    EXPECT_TRUE(PresetConfig(name)->Validate().ok()) << name << Message(PresetConfig(name)->Validate());
  }
  EXPECT_EQ(ExitCodeOf(PresetConfig("15m").status()), ExitCode::kUsage);
}

}  // namespace
}  // namespace rhodes
