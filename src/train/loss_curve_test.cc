#include "train/loss_curve.h"

#include <gtest/gtest.h>

#include <cmath>

namespace rhodes {
namespace {

TEST(LossCurve, FallsFromTheTopLeftToTheBottomRight) {
  std::vector<double> values(16);
  for (int i = 0; i < 16; ++i) values[static_cast<size_t>(i)] = 4.0 - 0.2 * i;
  const std::vector<std::string> lines = DrawCurve(values, 16, 8 + 8, 2);
  ASSERT_EQ(lines.size(), 2u);
  // 16 values on 16 dots across and 8 down: two values a level.
  EXPECT_EQ(lines[0], "  4.000 ⠉⠒⠤⣀    ");
  EXPECT_EQ(lines[1], "  1.000     ⠉⠒⠤⣀");
}

TEST(LossCurve, WhatIsStillToComeStaysEmpty) {
  const std::vector<double> values = {2, 2, 1, 1};
  EXPECT_EQ(DrawCurve(values, 16, 8 + 8, 1), (std::vector<std::string>{"  2.000 ⠉⣆      "}));
}

TEST(LossCurve, ManyValuesOnADotAreAveragedAndJumpsAreJoined) {
  std::vector<double> values(1000, 1.0);
  for (size_t i = 0; i < 500; ++i) values[i] = i % 2 == 0 ? 2.0 : 4.0;
  EXPECT_EQ(DrawCurve(values, 0, 8 + 4, 1), (std::vector<std::string>{"  3.008 ⠉⠉⣆⣀"}));
}

TEST(LossCurve, DrawsNothingOfNothingAndLeavesOutWhatIsNoNumber) {
  EXPECT_TRUE(DrawCurve({}, 10, 40, 4).empty());
  const std::vector<double> none = {NAN, NAN};
  EXPECT_TRUE(DrawCurve(none, 2, 40, 4).empty());
  const std::vector<double> one = {NAN, 3.0, INFINITY};
  EXPECT_EQ(DrawCurve(one, 3, 8 + 2, 1), (std::vector<std::string>{"  3.000 ⠈ "}));
  EXPECT_TRUE(DrawCurve(one, 3, 5, 1).empty());  // no room
}

}  // namespace
}  // namespace rhodes
