#include "token/training_weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace rhodes {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::vector<TextGroup> kGroups = {{"news", "ar"}, {"news", "en"}, {"web", "en"}};
const std::vector<uint64_t> kBytes = {100, 300, 600};

std::vector<double> Weights(const std::vector<std::string>& settings) {
  TrainingWeights weights;
  for (const std::string& setting : settings) EXPECT_TRUE(AddWeight(setting, weights).ok()) << setting;
  return *GroupWeights(weights, kGroups, kBytes);
}

TEST(TrainingWeights, OfEqualLanguagesEachHasTheSameShareOfAll) {
  const std::vector<double> weights = Weights({"language=equal"});
  EXPECT_THAT(weights, ElementsAre(DoubleNear(10, 1e-9), DoubleNear(1 / 0.9, 1e-9), DoubleNear(1 / 0.9, 1e-9)));
  EXPECT_NEAR(weights[0] * 100, weights[1] * 300 + weights[2] * 600, 1e-9);
}

TEST(TrainingWeights, AlphaIsTheSharesExponentAndATemperatureItsInverse) {
  // Shares 0.1 and 0.9 become 0.1^0.5 and 0.9^0.5.
  const std::vector<double> weights = Weights({"language=alpha:0.5"});
  EXPECT_NEAR(weights[0] * 0.1, std::sqrt(0.1), 1e-12);
  EXPECT_NEAR(weights[2] * 0.9, std::sqrt(0.9), 1e-12);
  EXPECT_EQ(Weights({"language=temperature:2"}), weights);
  EXPECT_THAT(Weights({"language=equal", "language=proportional"}), ElementsAre(1, 1, 1));
}

TEST(TrainingWeights, SourcesAndLanguagesMultiply) {
  EXPECT_THAT(Weights({"source:web=3", "language:ar=2"}), ElementsAre(2, 1, 3));
  EXPECT_THAT(Weights({"source:news=0.5", "language:en=4"}), ElementsAre(0.5, 2, 4));
  EXPECT_THAT(Weights({"source=equal", "language:ar=2"}),
              ElementsAre(DoubleNear(5, 1e-9), DoubleNear(2.5, 1e-9), DoubleNear(1 / 0.6, 1e-9)));
}

TEST(TrainingWeights, NoneCountsMoreThanAHundredThousandTimesAsMuchAsAnother) {
  TrainingWeights weights;
  ASSERT_TRUE(AddWeight("language=equal", weights).ok());
  const std::vector<double> found = *GroupWeights(weights, kGroups, {3, 1'000'000'000, 2'000'000'000});
  EXPECT_NEAR(found[0] / found[1], 100'000, 1e-3);
  EXPECT_TRUE(GroupWeights(weights, {}, {})->empty());
}

TEST(TrainingWeights, NamesMayHoldColonsAndEqualsSigns) {
  TrainingWeights weights;
  ASSERT_TRUE(AddWeight("source:a=b:c=2.5", weights).ok());
  EXPECT_EQ(weights.source.factors.at("a=b:c"), 2.5);
  EXPECT_FALSE(weights.none());
  EXPECT_TRUE(TrainingWeights().none());
}

TEST(TrainingWeights, WhatIsNotKnownIsRefusedWithWhatIsAllowed) {
  for (const char* const wrong : {"", "colour=equal", "language", "language=", "language=even", "language=alpha:2",
                                  "language=alpha:", "language=temperature:0.3", "language:ar", "language:=2",
                                  "language:ar=0", "language:ar=-1", "language:ar=nan", "source:news=many"}) {
    TrainingWeights weights;
    const absl::Status status = AddWeight(wrong, weights);
    EXPECT_EQ(ExitCodeOf(status), ExitCode::kUsage) << wrong;
    EXPECT_THAT(Message(status), HasSubstr("allowed: language=equal")) << wrong;
  }
  TrainingWeights weights;
  EXPECT_THAT(Message(AddWeight("language=temperature:0.3", weights)), HasSubstr("write alpha:0.3"));
}

TEST(TrainingWeights, ANameThatNoGroupHasIsRefusedWithThoseThereAre) {
  TrainingWeights weights;
  ASSERT_TRUE(AddWeight("language:fr=2", weights).ok());
  const auto result = GroupWeights(weights, kGroups, kBytes);
  EXPECT_EQ(ExitCodeOf(result.status()), ExitCode::kUsage);
  EXPECT_THAT(Message(result.status()), HasSubstr("\"language:fr=2\": there is no such language; there are: ar, en"));
}

}  // namespace
}  // namespace rhodes
