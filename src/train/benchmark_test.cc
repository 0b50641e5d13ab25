#include "train/benchmark.h"

#include <gmock/gmock.h>

#include <vector>

namespace rhodes {
namespace {

using testing::Each;
using testing::ElementsAreArray;
using testing::Lt;

TEST(RandomBatch, RanksSeeTogetherWhatOneSeesAlone) {
  const RandomBatch random(50, 5, 8);
  const TokenBatch whole = random.view();
  ASSERT_EQ(whole.sequences, 5);
  ASSERT_EQ(whole.tokens.size(), 40U);
  EXPECT_THAT(whole.tokens, Each(Lt(50U)));
  std::vector<uint32_t> tokens, targets;
  for (int rank = 0; rank < 2; ++rank) {
    const TokenBatch own = random.view(SequencesOf(5, rank, 2));
    EXPECT_EQ(own.length, 8);
    tokens.insert(tokens.end(), own.tokens.begin(), own.tokens.end());
    targets.insert(targets.end(), own.targets.begin(), own.targets.end());
  }
  EXPECT_THAT(tokens, ElementsAreArray(whole.tokens));
  EXPECT_THAT(targets, ElementsAreArray(whole.targets));
}

TEST(RandomBatch, TheTargetOfATokenIsTheNextOne) {
  const RandomBatch random(50, 3, 4);
  const TokenBatch batch = random.view({1, 3});
  EXPECT_THAT(batch.targets.first(7), ElementsAreArray(batch.tokens.subspan(1)));
  EXPECT_EQ(batch.tokens.data(), random.view().tokens.data() + 4);
}

}  // namespace
}  // namespace rhodes
