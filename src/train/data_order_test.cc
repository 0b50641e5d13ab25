#include "train/data_order.h"

#include <gtest/gtest.h>

#include <set>

#include "train/testing_inputs.h"

namespace rhodes {
namespace {

TEST(DataOrder, PermuteIndex_IsAPermutationForEveryCount) {
  for (const uint64_t count : {1u, 2u, 3u, 4u, 5u, 16u, 17u, 100u, 1000u}) {
    std::set<uint64_t> seen;
    for (uint64_t i = 0; i < count; ++i) seen.insert(PermuteIndex(i, count, 42));
    EXPECT_EQ(seen.size(), count);
    EXPECT_LT(*seen.rbegin(), count);
  }
  EXPECT_NE(PermuteIndex(0, 1000, 1), PermuteIndex(0, 1000, 2));
}

TEST(DataOrder, VisitsEachWindowOnceAnEpochInAnotherOrderEachTime) {
  const absl::StatusOr<DataOrder> order = DataOrder::Create(1001, 10, 7);
  ASSERT_TRUE(order.ok());
  ASSERT_EQ(order->windows_per_epoch(), 100u);
  std::vector<uint64_t> first, second;
  for (uint64_t n = 0; n < 100; ++n) {
    first.push_back(order->Position(n));
    second.push_back(order->Position(100 + n));
  }
  std::set<uint64_t> windows;
  for (const uint64_t position : first) windows.insert(position / 10);
  EXPECT_EQ(windows.size(), 100u);
  for (const uint64_t position : first) EXPECT_EQ(position % 10, 0u);
  windows.clear();
  for (const uint64_t position : second) windows.insert(position - second[0] % 10);
  EXPECT_EQ(windows.size(), 100u);  // the same offset in all windows of an epoch
  EXPECT_NE(first, second);
  EXPECT_NE(first[0], DataOrder::Create(1001, 10, 8)->Position(0));
}

TEST(DataOrder, RefusesTooFewTokens) {
  const absl::Status status = DataOrder::Create(256, 256, 1).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(Message(status).find("at least 257"), std::string::npos);
}

TEST(Windows, ReplaysItsShareEvenlySpreadAndVisitsBothSetsWhole) {
  std::string fresh_text, old_text;
  for (int i = 0; i < 400; ++i) fresh_text += static_cast<char>('a' + i % 26);
  for (int i = 0; i < 200; ++i) old_text += static_cast<char>('A' + i % 26);
  const MemoryShards fresh({fresh_text}), old({old_text});
  const absl::StatusOr<Windows> windows = Windows::Create(fresh, &old, 0.3, 10, 5);
  ASSERT_TRUE(windows.ok());
  std::vector<TokenId> window(11);
  std::multiset<std::vector<TokenId>> of_fresh, of_old;
  uint64_t replayed = 0;
  for (uint64_t n = 0; n < 56; ++n) {
    windows->Read(n, window);
    const bool is_old = window[0] >= 'A' && window[0] <= 'Z';
    (is_old ? of_old : of_fresh).insert(window);
    replayed += is_old;
    EXPECT_NEAR(static_cast<double>(replayed), 0.3 * static_cast<double>(n + 1), 1.0);
  }
  // 40 windows of the new text, each once, beside 16 of the old one's 20.
  EXPECT_EQ(of_fresh.size(), 40u);
  EXPECT_EQ(of_old.size(), 16u);
  std::vector<TokenId> again(11);
  for (uint64_t n = 0; n < 10; ++n) {
    windows->Read(n, window);
    Windows::Create(fresh, &old, 0.3, 10, 5)->Read(n, again);
    EXPECT_EQ(window, again);
  }
}

TEST(Windows, OfOneSetAreThoseOfItsOrder) {
  const MemoryShards shards({std::string(100, 'x') + std::string(100, 'y')});
  const DataOrder order = *DataOrder::Create(shards.token_count(), 7, 3);
  std::vector<TokenId> window(8), expected(8);
  for (uint64_t n = 0; n < 100; ++n) {
    Windows::Create(shards, nullptr, 0, 7, 3)->Read(n, window);
    shards.Read(order.Position(n), expected);
    EXPECT_EQ(window, expected);
  }
}

TEST(BatchBuffer, TargetsAreTheNextTokensAndDocumentsStartAtEndOfText) {
  const MemoryShards shards({"abcd", "efghij"});
  const DataOrder order = *DataOrder::Create(shards.token_count(), 5, 1);
  BatchBuffer batch(2, 5);
  batch.Fill(*Windows::Create(shards, nullptr, 0, 5, 1), 0, 256);
  const TokenBatch view = batch.view();
  for (const int64_t s : {0, 1}) {
    std::vector<TokenId> window(6);
    shards.Read(order.Position(static_cast<uint64_t>(s)), window);
    int32_t start = 0;
    for (int64_t t = 0; t < 5; ++t) {
      EXPECT_EQ(view.tokens[static_cast<size_t>(s * 5 + t)], window[static_cast<size_t>(t)]);
      EXPECT_EQ(view.targets[static_cast<size_t>(s * 5 + t)], window[static_cast<size_t>(t + 1)]);
      if (window[static_cast<size_t>(t)] == 256) start = static_cast<int32_t>(t);
      EXPECT_EQ(view.starts[static_cast<size_t>(s * 5 + t)], start);
    }
  }
}

}  // namespace
}  // namespace rhodes
