#include "train/train.h"

#include <gtest/gtest.h>

#include "base/status.h"
#include "train/estimate.h"

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

// -1 ended `rhodes train --estimate` with a segmentation fault, 10^8 a run with std::bad_alloc.
TEST(Train, RefusesABatchThatIsNoneOrCannotBeCounted) {
  RunContext context;
  TrainOptions options;
  options.config = *PresetConfig("14m");
  options.steps = 10;
  for (const int64_t batch : {int64_t{-1}, int64_t{0}, int64_t{100'000'000}, int64_t{9'000'000'000'000'000'000}}) {
    options.batch = batch;
    for (const absl::Status& status : {Train(options, context).status(), EstimateTraining(options, context).status()}) {
      EXPECT_EQ(ExitCodeOf(status), ExitCode::kUsage) << batch;
      EXPECT_NE(Message(status).find(fmt::format("batch {}", batch)), std::string::npos) << Message(status);
    }
  }
}

TEST(Train, SaysHowMuchMemoryIsMissingAlsoWhenItIsLittle) {
  TrainOptions options;
  options.config = *PresetConfig("1.4m");
  options.batch = 1;
  options.context = 16;
  EXPECT_TRUE(CheckMemory(options, 1, uint64_t{1} << 32).ok());
  const absl::Status status = CheckMemory(options, 1, 1'500'000);
  EXPECT_NE(Message(status).find(" MB are needed for this model and batch and 1.5 MB are allowed"), std::string::npos)
      << Message(status);
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
