#include "value/significance.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

namespace rhodes {
namespace {

// Critical values as every printed table of Student's distribution has them.
TEST(Significance, StudentsDistributionIsThatOfThePrintedTables) {
  EXPECT_NEAR(TwoSidedStudent(12.706, 1), 0.05, 1e-5);
  EXPECT_NEAR(TwoSidedStudent(4.303, 2), 0.05, 1e-5);
  EXPECT_NEAR(TwoSidedStudent(2.776, 4), 0.05, 3e-5);
  EXPECT_NEAR(TwoSidedStudent(3.169, 10), 0.01, 1e-5);
  EXPECT_NEAR(TwoSidedStudent(1.980, 120), 0.05, 1e-4);
  EXPECT_DOUBLE_EQ(TwoSidedStudent(0, 3), 1);
  EXPECT_NEAR(StudentQuantile(0.05, 2), 4.3027, 1e-4);
  EXPECT_NEAR(StudentQuantile(0.001, 9), 4.781, 1e-3);
}

// Closed forms: 1 degree is Cauchy's distribution, 2 degrees have P = 1 - t / sqrt(2 + t²).
TEST(Significance, StudentsDistributionHasItsClosedForms) {
  for (const double t : {0.01, 0.5, 1.0, 3.0, 40.0}) {
    EXPECT_NEAR(TwoSidedStudent(t, 1), 1 - 2 * std::atan(t) / std::numbers::pi, 1e-12);
    EXPECT_NEAR(TwoSidedStudent(t, 2), 1 - t / std::sqrt(2 + t * t), 1e-12);
    EXPECT_DOUBLE_EQ(TwoSidedStudent(-t, 2), TwoSidedStudent(t, 2));
  }
}

TEST(Significance, PairsTakeOutWhatBothShare) {
  const std::vector<double> b = {1.0, 2.0, 3.0};
  const std::vector<double> a = {1.1, 2.3, 3.2};
  const PairedTest test = TestPaired(a, b);
  EXPECT_EQ(test.degrees, 2);
  EXPECT_NEAR(test.difference.mean, 0.2, 1e-12);
  EXPECT_NEAR(test.difference.deviation, 0.1, 1e-12);
  EXPECT_NEAR(test.t, 2 * std::sqrt(3.0), 1e-9);
  EXPECT_NEAR(test.p, 1 - test.t / std::sqrt(2 + test.t * test.t), 1e-12);
  EXPECT_NEAR(test.high - test.difference.mean, 4.30265 * 0.1 / std::sqrt(3.0), 1e-5);
}

TEST(Significance, OnePairProvesNothingAndEqualDifferencesProveAll) {
  const std::vector<double> one = {1};
  const std::vector<double> two = {2};
  EXPECT_EQ(TestPaired(one, two).p, 1);
  const std::vector<double> a = {1, 2};
  const std::vector<double> b = {0.5, 1.5};
  EXPECT_EQ(TestPaired(a, b).p, 0);
  EXPECT_EQ(TestPaired(a, a).p, 1);
}

}  // namespace
}  // namespace rhodes
