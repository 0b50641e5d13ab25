#include "train/agreement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "train/testing_ranks.h"

namespace rhodes {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(AgreementTest, RanksThatWereGivenTheSameGoOn) {
  for (const int ranks : {1, 3}) {
    RunRanks(ranks, [](Communicator& ranks_of) {
      EXPECT_TRUE(CheckAgreement(ranks_of, {{"the settings", "{}"}, {"the shards", "a"}}).ok());
    });
  }
}

TEST(AgreementTest, AllSayWhichRanksDifferInWhat) {
  RunRanks(4, [](Communicator& ranks_of) {
    const bool other = ranks_of.rank() == 1 || ranks_of.rank() == 3;
    const absl::Status status =
        CheckAgreement(ranks_of, {{"the settings", "{}"}, {"the shards", other ? "b" : "a"}, {"the sources", ""}});
    EXPECT_EQ(ExitCodeOf(status), ExitCode::kUsage);
    EXPECT_THAT(Message(status), HasSubstr("rank 1, 3 and rank 0 differ in the shards:"));
    EXPECT_THAT(Message(status), Not(HasSubstr("settings")));
  });
}

}  // namespace
}  // namespace rhodes
