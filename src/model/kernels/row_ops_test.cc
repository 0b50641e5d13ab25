#include "model/kernels/row_ops.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace rhodes {
namespace {

// Lengths around every vector width in use (4, 8, 16 lanes and four vectors at once), and odd ones.
constexpr int64_t kLengths[] = {1, 2, 3, 7, 8, 15, 16, 17, 33, 64, 65, 130};
constexpr int64_t kRows = 5;

template <typename T>
std::vector<T> Random(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 1);
  std::vector<T> values(count);
  for (T& value : values) value = FromFloat<T>(normal(random));
  return values;
}

// f32's epsilon for a few operations and a sum of some tens of terms, and one rounding to T.
template <typename T>
void ExpectNear(const std::vector<T>& expected, const std::vector<T>& actual, double scale, int64_t length) {
  const double tolerance = scale * (64 * 0x1p-24 + (sizeof(T) == 2 ? 0x1p-8 : 0));
  ASSERT_EQ(expected.size(), actual.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    const double want = ToFloat(expected[i]);
    ASSERT_NEAR(want, ToFloat(actual[i]), tolerance * std::max(1.0, std::abs(want))) << "length " << length << " " << i;
  }
}

template <typename T>
class RowOpsTest : public testing::Test {
 public:
  const RowOps<T>& fast = FastRowOps<T>();
  const RowOps<T>& plain = ReferenceRowOps<T>();
};
using Types = testing::Types<float, Bf16>;
TYPED_TEST_SUITE(RowOpsTest, Types);

TYPED_TEST(RowOpsTest, BiasSumsAndScale_MatchReference) {
  using T = TypeParam;
  for (const int64_t n : kLengths) {
    const auto bias = Random<T>(n, 1);
    auto y_a = Random<T>(kRows * n, 2);
    auto y_b = y_a;
    auto wide_a = Random<float>(kRows * n, 3);
    auto wide_b = wide_a;
    this->plain.add_bias(bias.data(), kRows, n, y_a.data());
    this->fast.add_bias(bias.data(), kRows, n, y_b.data());
    this->plain.add_bias_wide(bias.data(), kRows, n, wide_a.data());
    this->fast.add_bias_wide(bias.data(), kRows, n, wide_b.data());
    ExpectNear(y_a, y_b, 1, n);
    ExpectNear(wide_a, wide_b, 1, n);
    std::vector<float> sums_a(n, 0.5f), sums_b(n, 0.5f);
    this->plain.sum_rows(y_a.data(), kRows, n, sums_a.data());
    this->fast.sum_rows(y_a.data(), kRows, n, sums_b.data());
    ExpectNear(sums_a, sums_b, 1, n);
    this->plain.scale(y_a.data(), kRows * n, 0.7f);
    this->fast.scale(y_b.data(), kRows * n, 0.7f);
    ExpectNear(y_a, y_b, 2, n);
    this->plain.scale_wide(wide_a.data(), kRows * n, 0.7f);
    this->fast.scale_wide(wide_b.data(), kRows * n, 0.7f);
    ExpectNear(wide_a, wide_b, 1, n);
  }
}

TYPED_TEST(RowOpsTest, SumIndexed_MatchesReference) {
  using T = TypeParam;
  const int32_t index[] = {3, 0, 1, 1, 2, 3, 0, 2, 1, 0};
  for (const int64_t n : kLengths) {
    const auto table = Random<T>(4 * n, 1);
    auto y_a = Random<float>(kRows * n, 2);
    auto y_b = y_a;
    this->plain.sum_indexed(table.data(), index, 2, kRows, n, 0.7f, y_a.data());
    this->fast.sum_indexed(table.data(), index, 2, kRows, n, 0.7f, y_b.data());
    ExpectNear(y_a, y_b, 1, n);
  }
}

TYPED_TEST(RowOpsTest, HeadNorm_MatchesReferenceAndLeavesValuesAlone) {
  using T = TypeParam;
  for (const int64_t n : kLengths) {
    const HeadRows shape{kRows, 5 * n, 2, 1, n};
    const auto q = Random<T>(n, 1), k = Random<T>(n, 2);
    auto x_a = Random<T>(kRows * 5 * n, 3);
    auto x_b = x_a;
    const auto before = x_a;
    std::vector<T> unit_a(kRows * 3 * n), unit_b(unit_a.size());
    std::vector<float> inverse_a(kRows * 3), inverse_b(kRows * 3);
    this->plain.head_norm_forward(x_a.data(), shape, q.data(), k.data(), 1e-5f, unit_a.data(), inverse_a.data());
    this->fast.head_norm_forward(x_b.data(), shape, q.data(), k.data(), 1e-5f, unit_b.data(), inverse_b.data());
    ExpectNear(x_a, x_b, 2, n);
    ExpectNear(unit_a, unit_b, 1, n);
    ExpectNear(inverse_a, inverse_b, 2, n);
    for (int64_t r = 0; r < kRows; ++r) {
      for (int64_t i = 3 * n; i < 5 * n; ++i) EXPECT_EQ(ToFloat(x_b[r * 5 * n + i]), ToFloat(before[r * 5 * n + i]));
    }
    auto d_a = Random<T>(kRows * 5 * n, 4);
    auto d_b = d_a;
    std::vector<float> d_q_a(n, 0.5f), d_q_b(n, 0.5f), d_k_a(n, 0.5f), d_k_b(n, 0.5f);
    this->plain.head_norm_backward(d_a.data(), shape, q.data(), k.data(), unit_a.data(), inverse_a.data(), d_q_a.data(),
                                   d_k_a.data());
    this->fast.head_norm_backward(d_b.data(), shape, q.data(), k.data(), unit_a.data(), inverse_a.data(), d_q_b.data(),
                                  d_k_b.data());
    // A short row of small numbers makes the inverse, and with it the gradient, large.
    ExpectNear(d_a, d_b, 4 * (1 + *std::max_element(inverse_a.begin(), inverse_a.end())), n);
    ExpectNear(d_q_a, d_q_b, 4, n);
    ExpectNear(d_k_a, d_k_b, 4, n);
  }
}

}  // namespace
}  // namespace rhodes
