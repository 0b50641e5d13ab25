#include "token/shard_mix.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhodes {
namespace {

using ::testing::HasSubstr;

std::vector<uint64_t> Targets(const MixOptions& options, std::vector<MixSource> sources) {
  const absl::Status status = MixTargets(options, sources);
  EXPECT_TRUE(status.ok()) << status;
  std::vector<uint64_t> targets;
  for (const MixSource& source : sources) targets.push_back(source.target);
  return targets;
}
using Numbers = std::vector<uint64_t>;

TEST(MixTargets, FollowTheWeightsWhateverTheirSum) {
  const std::vector<MixSource> sources = {{"a", 900}, {"b", 100}};
  EXPECT_EQ(Targets({{{"a", 0.8}, {"b", 0.2}}, 4, 0}, sources), Numbers({800, 200}));
  EXPECT_EQ(Targets({{{"a", 8}, {"b", 2}}, 4, 0}, sources), Numbers({800, 200}));
  EXPECT_EQ(Targets({{{"a", 8}, {"b", 2}}, 4, 500}, sources), Numbers({400, 100}));
}

TEST(MixTargets, ASourceIsRepeatedUpToTheCapAndTheOthersTakeWhatItLeaves) {
  // b would be 500 of 1000; it has 100, twice at most. c and a share the other 800 as 1 to 3.
  EXPECT_EQ(Targets({{{"a", 3}, {"b", 4}, {"c", 1}}, 2, 1000}, {{"a", 900}, {"b", 100}, {"c", 400}}),
            Numbers({600, 200, 200}));
  // What b leaves takes c over its cap as well.
  EXPECT_EQ(Targets({{{"a", 1}, {"b", 4}, {"c", 1}}, 2, 1000}, {{"a", 900}, {"b", 100}, {"c", 150}}),
            Numbers({500, 200, 300}));
}

TEST(MixTargets, FallShortWhenEverySourceIsAtItsCap) {
  EXPECT_EQ(Targets({{{"a", 1}, {"b", 1}}, 3, 10000}, {{"a", 100}, {"b", 50}}), Numbers({300, 150}));
}

TEST(MixTargets, AWeightOfNothingLeavesASourceOut) {
  EXPECT_EQ(Targets({{{"a", 1}, {"b", 0}}, 4, 0}, {{"a", 100}, {"b", 50}}), Numbers({100, 0}));
}

TEST(MixTargets, TheStarSharesItsWeightBySize) {
  EXPECT_EQ(Targets({{{"a", 1}, {"*", 1}}, 8, 600}, {{"a", 100}, {"b", 50}, {"c", 100}}), Numbers({300, 100, 200}));
}

TEST(MixTargets, SayWhatDoesNotFitTheSources) {
  std::vector<MixSource> sources = {{"a", 10}, {"b", 10}};
  const auto message = [&](const std::map<std::string, double>& weights) {
    const absl::Status status = MixTargets({weights, 4, 0}, sources);
    EXPECT_EQ(ExitCodeOf(status), ExitCode::kUsage);
    return Message(status);
  };
  EXPECT_THAT(message({{"a", 1}}), HasSubstr("no weight to the sources \"b\""));
  EXPECT_THAT(message({{"a", 1}, {"b", 1}, {"z", 1}}), HasSubstr("no document is of the source \"z\""));
  EXPECT_THAT(message({{"a", 0}, {"b", 0}}), HasSubstr("weights are all 0"));
}

TEST(ParseMixWeights, ReadsNamesWithEqualsSigns) {
  const auto weights = ParseMixWeights({"a=0.5", "q=r=2", "*=1e1"});
  ASSERT_TRUE(weights.ok());
  EXPECT_EQ(*weights, (std::map<std::string, double>{{"a", 0.5}, {"q=r", 2}, {"*", 10}}));
}

TEST(ParseMixWeights, RefusesWhatIsNoWeight) {
  for (const char* bad : {"a", "a=", "a=-1", "a=x", "a=1x", "a=nan", "a=inf"}) {
    EXPECT_EQ(ExitCodeOf(ParseMixWeights({bad}).status()), ExitCode::kUsage) << bad;
  }
  EXPECT_THAT(Message(ParseMixWeights({"a=1", "a=2"}).status()), HasSubstr("\"a\" has a weight twice"));
}

}  // namespace
}  // namespace rhodes
