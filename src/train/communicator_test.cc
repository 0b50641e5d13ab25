#include "train/communicator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <random>

#include "train/testing_ranks.h"

namespace rhodes {
namespace {

using testing::HasSubstr;

// Numbers whose sum depends on the order in which they are added.
std::vector<float> Values(int rank, int64_t count) {
  std::mt19937 random(static_cast<unsigned>(rank) + 1);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = std::ldexp(static_cast<float>(random()), static_cast<int>(random() % 40) - 60);
  return values;
}

// `count` elements, dealt out in pieces of several sizes.
std::vector<Share> Shares(int64_t count, int ranks) {
  std::vector<Share> shares;
  int64_t begin = 0;
  for (int i = 0; begin < count; ++i) {
    const int64_t end = std::min(count, begin + 1 + (int64_t{i} * 7919) % (count / 5));
    shares.push_back({begin, end, (i * 3 + 1) % ranks});
    begin = end;
  }
  return shares;
}

class CommunicatorTest : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Ranks, CommunicatorTest, testing::Values(1, 2, 3, 4, 7));

TEST_P(CommunicatorTest, ReducesInTheOrderOfRanks) {
  const int ranks = GetParam();
  constexpr int64_t kCount = 1'500'000;  // some chunks beyond what is received at once
  const std::vector<Share> shares = Shares(kCount, ranks);
  std::vector<float> expected = Values(0, kCount);
  for (int rank = 1; rank < ranks; ++rank) {
    const std::vector<float> part = Values(rank, kCount);
    for (size_t i = 0; i < expected.size(); ++i) expected[i] += part[i];
  }
  RunRanks(ranks, [&](Communicator& ranks_of) {
    std::vector<float> array = Values(ranks_of.rank(), kCount);
    // In parts, as layers come.
    for (const Share& share : shares) ranks_of.StartReduce(array.data(), {&share, 1});
    ASSERT_TRUE(ranks_of.FinishReduce().ok());
    for (const Share& share : shares) {
      if (share.owner != ranks_of.rank()) continue;
      for (int64_t i = share.begin; i < share.end; ++i) {
        ASSERT_EQ(array[static_cast<size_t>(i)], expected[static_cast<size_t>(i)]) << i;
      }
    }
    ASSERT_TRUE(ranks_of.AllGather(array.data(), shares).ok());
    EXPECT_EQ(array, expected);
  });
}

// As the embedding of a large model: each rank has far more to send than is looked at or received at once, and all of
// it before what it receives. Once ranks waited for each other's room for ever.
TEST(CommunicatorReduceTest, SharesMuchLargerThanTheRoomForWhatArrives) {
  constexpr int64_t kShare = int64_t{40} << 18;
  const Share shares[] = {{0, kShare, 0}, {kShare, 2 * kShare, 1}};
  RunRanks(2, [&](Communicator& ranks_of) {
    std::vector<float> array(2 * kShare, 1.0f + static_cast<float>(ranks_of.rank()));
    ranks_of.StartReduce(array.data(), shares);
    std::atomic<bool> done{false};
    std::thread watch([&] {
      for (int i = 0; i < 1000 && !done; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(100));
      if (!done) ranks_of.GiveUp(absl::DeadlineExceededError("the ranks wait for each other"));
    });
    const absl::Status status = ranks_of.FinishReduce();
    done = true;
    watch.join();
    ASSERT_TRUE(status.ok()) << Message(status);
    const Share& own = shares[ranks_of.rank()];
    EXPECT_EQ(std::count(array.begin() + own.begin, array.begin() + own.end, 3.0f), kShare);
  });
}

TEST_P(CommunicatorTest, SumsAndBroadcastsReachEveryone) {
  const int ranks = GetParam();
  RunRanks(ranks, [&](Communicator& ranks_of) {
    for (int round = 0; round < 20; ++round) {
      double values[] = {1.0 + ranks_of.rank(), 0.5};
      ASSERT_TRUE(ranks_of.Sum(values).ok());
      EXPECT_EQ(values[0], ranks * (ranks + 1) / 2);
      EXPECT_EQ(values[1], 0.5 * ranks);
      const absl::StatusOr<std::string> text = ranks_of.Broadcast(ranks_of.root() ? "key" : std::string("other one"));
      ASSERT_TRUE(text.ok());
      EXPECT_EQ(*text, "key");
      ASSERT_TRUE(ranks_of.Barrier().ok());
    }
  });
}

TEST_P(CommunicatorTest, MovesBetweenTwo) {
  const int ranks = GetParam();
  RunRanks(ranks, [&](Communicator& ranks_of) {
    for (int from = 0; from < ranks; ++from) {
      const std::vector<float> values(100, static_cast<float>(ranks_of.rank()));
      std::vector<float> room(100, -1.0f);
      ASSERT_TRUE(ranks_of.Move(from, values, 0, room).ok());
      EXPECT_EQ(room[99], ranks_of.root() ? static_cast<float>(from) : -1.0f);
    }
  });
}

TEST(CommunicatorFailureTest, ASilentRankEndsTheWaitOfAllOthers) {
  const std::shared_ptr<ThreadHub> hub = ThreadHub::Create(4);
  const auto begin = std::chrono::steady_clock::now();
  RunRanks(
      4,
      [&](Communicator& ranks_of) {
        ASSERT_TRUE(ranks_of.Barrier().ok());
        if (ranks_of.rank() == 2) hub->Silence(2);
        std::vector<float> array(1000);
        const Share share{0, 1000, 1};
        ranks_of.StartReduce(array.data(), {&share, 1});
        absl::Status status = ranks_of.FinishReduce();
        if (status.ok()) status = ranks_of.Barrier();
        EXPECT_TRUE(absl::IsUnavailable(status)) << Message(status);
        EXPECT_EQ(ranks_of.Barrier(), status);  // and stays so
        if (ranks_of.rank() == 3) {
          EXPECT_THAT(Message(status), HasSubstr("rank 2 has given no sign of life"));
        }
      },
      1, hub);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

TEST(CommunicatorFailureTest, GivingUpEndsAReductionAndLeavesItsMemoryAlone) {
  RunRanks(
      2,
      [&](Communicator& ranks_of) {
        const Share shares[] = {{0, 1000, 0}, {1000, 2000, 1}};
        std::vector<float> array(2000, 1.0f);
        if (ranks_of.root()) {
          ranks_of.StartReduce(array.data(), shares);
          EXPECT_TRUE(ranks_of.reducing());
          ranks_of.GiveUp(absl::CancelledError("enough"));
          std::this_thread::sleep_for(std::chrono::milliseconds(300));  // the other one's part comes meanwhile
          EXPECT_EQ(std::ranges::count(array, 1.0f), 2000);
          EXPECT_EQ(Message(ranks_of.FinishReduce()), "enough");
          EXPECT_EQ(Message(ranks_of.Barrier()), "enough");
        } else {
          std::this_thread::sleep_for(std::chrono::milliseconds(100));
          ranks_of.StartReduce(array.data(), shares);
          EXPECT_TRUE(absl::IsUnavailable(ranks_of.FinishReduce()));
        }
      },
      0.6);
}

TEST(CommunicatorFailureTest, ARankThatTakesLongIsWaitedFor) {
  RunRanks(
      3,
      [&](Communicator& ranks_of) {
        if (ranks_of.rank() == 1) std::this_thread::sleep_for(std::chrono::milliseconds(2500));
        EXPECT_TRUE(ranks_of.Barrier().ok());
      },
      1);  // longer than a busy machine leaves a thread without a core
}

TEST(CommunicatorFailureTest, RanksThatDisagreeOnSizesAreToldSo) {
  RunRanks(
      2,
      [&](Communicator& ranks_of) {
        std::vector<float> values(ranks_of.root() ? 10 : 11);
        const Share share{0, static_cast<int64_t>(values.size()), 0};
        const absl::Status status = ranks_of.AllGather(values.data(), {&share, 1});
        // The one that comes second sees it; the other waits until that one is gone.
        if (!absl::IsUnavailable(status)) {
          EXPECT_THAT(Message(status), HasSubstr("were expected"));
        }
      },
      0.3);
}

}  // namespace
}  // namespace rhodes
