#include "base/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>

namespace rhodes {
namespace {

TEST(ParallelFor, VisitsEveryIndexOnce) {
  std::vector<std::atomic<int>> visits(1000);
  ASSERT_TRUE(ParallelFor(4, visits.size(), [&](size_t i) {
                ++visits[i];
                return absl::OkStatus();
              }).ok());
  for (const std::atomic<int>& count : visits) EXPECT_EQ(count.load(), 1);
}

TEST(ParallelFor, ReturnsTheErrorOfTheLowestIndex) {
  const absl::Status status = ParallelFor(4, 100, [&](size_t i) {
    // Index 3 fails last in time but first in order.
    if (i == 3) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return i >= 3 && i < 6 ? absl::InternalError(std::to_string(i)) : absl::OkStatus();
  });
  EXPECT_EQ(Message(status), "3");
}

absl::StatusOr<std::vector<int>> Squares(int threads, size_t in_flight, int count, int fail_at) {
  int next = 0;
  std::atomic<int> outstanding{0};
  std::atomic<int> most{0};
  std::vector<int> squares;
  const absl::Status status = OrderedPipeline<int, int>(
      threads, in_flight,
      [&]() -> absl::StatusOr<std::optional<int>> {
        if (next == count) return std::nullopt;
        most = std::max(most.load(), ++outstanding);
        return next++;
      },
      [&](int input) -> absl::StatusOr<int> {
        if (input == fail_at) return absl::InternalError("failed");
        std::this_thread::sleep_for(std::chrono::microseconds((input * 37) % 50));
        return input * input;
      },
      [&](int output) {
        --outstanding;
        squares.push_back(output);
        return absl::OkStatus();
      });
  // One more may have been produced before the consumer's count goes down.
  EXPECT_LE(most.load(), static_cast<int>(in_flight) + 1);
  if (!status.ok()) return status;
  return squares;
}

TEST(OrderedPipeline, ConsumesInInputOrderWhateverTheThreadCount) {
  const absl::StatusOr<std::vector<int>> one = Squares(1, 1, 500, -1);
  ASSERT_TRUE(one.ok());
  ASSERT_EQ(one->size(), 500u);
  for (int i = 0; i < 500; ++i) EXPECT_EQ((*one)[i], i * i);
  EXPECT_EQ(*Squares(8, 16, 500, -1), *one);
  EXPECT_TRUE(Squares(4, 4, 0, -1)->empty());
}

TEST(OrderedPipeline, AnErrorEndsItWithoutHanging) { EXPECT_EQ(Message(Squares(4, 8, 500, 77).status()), "failed"); }

TEST(OrderedPipeline, AConsumerErrorEndsIt) {
  int next = 0;
  const absl::Status status = OrderedPipeline<int, int>(
      3, 5, [&]() -> absl::StatusOr<std::optional<int>> { return next++; },
      [](int i) -> absl::StatusOr<int> { return i; },
      [](int i) { return i == 10 ? absl::ResourceExhaustedError("full") : absl::OkStatus(); });
  EXPECT_EQ(Message(status), "full");
}

}  // namespace
}  // namespace rhodes
