#include "trace/suffix_array.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <random>

namespace rhodes {
namespace {

std::vector<uint32_t> BruteForce(const std::vector<uint32_t>& text) {
  std::vector<uint32_t> order(text.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return std::lexicographical_compare(text.begin() + a, text.end(), text.begin() + b, text.end());
  });
  return order;
}

TEST(SuffixArray, EqualsBruteForceOnSmallTexts) {
  EXPECT_TRUE(BuildSuffixArray({}, 1)->empty());
  std::mt19937 random(1);
  for (int round = 0; round < 3000; ++round) {
    const uint32_t alphabet = 1 + random() % 5;
    std::vector<uint32_t> text(1 + random() % 60);
    for (uint32_t& token : text) token = random() % alphabet;
    ASSERT_EQ(*BuildSuffixArray(text, alphabet), BruteForce(text)) << round;
  }
}

TEST(SuffixArray, EqualsBruteForceOnRepetitionAndAlternation) {
  for (const size_t size : {1u, 2u, 3u, 100u, 257u}) {
    std::vector<uint32_t> equal(size, 3);
    EXPECT_EQ(*BuildSuffixArray(equal, 4), BruteForce(equal));
    for (size_t i = 0; i < size; ++i) equal[i] = i % 2;
    EXPECT_EQ(*BuildSuffixArray(equal, 4), BruteForce(equal));
    for (size_t i = 0; i < size; ++i) equal[i] = static_cast<uint32_t>(i % 7 * (i % 3));
    EXPECT_EQ(*BuildSuffixArray(equal, 16), BruteForce(equal));
  }
}

TEST(SuffixArray, IsLinearOnAMillionEqualTokens) {
  const auto seconds = [](size_t size) {
    const std::vector<uint32_t> text(size, 1);
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_EQ(BuildSuffixArray(text, 2)->front(), size - 1);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  };
  seconds(1 << 18);  // warm
  // Doubling the input doubles the time; 8 leaves room for a noisy machine, and a quadratic algorithm would need hours.
  EXPECT_LT(seconds(1 << 20), 8 * seconds(1 << 18) + 0.5);
}

TEST(SuffixArray, ATokenOutsideTheAlphabetIsRefused) {
  EXPECT_TRUE(absl::IsInvalidArgument(BuildSuffixArray(std::vector<uint32_t>{0, 5}, 5).status()));
}

}  // namespace
}  // namespace rhodes
