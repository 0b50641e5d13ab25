#include "model/kernels/elementwise.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace rhodes {
namespace {

// Lengths around every vector width in use (4, 8, 16 lanes and four vectors at once), and odd ones.
constexpr int64_t kLengths[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 48, 63, 64, 65, 100, 127, 130, 257};
constexpr int64_t kRows = 3;

template <typename T>
std::vector<T> Random(size_t count, uint32_t seed, float deviation = 1.0f) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, deviation);
  std::vector<T> values(count);
  for (T& value : values) value = FromFloat<T>(normal(random));
  return values;
}

// Both sets compute in f32 or better; results of size `scale` differ by f32's epsilon for each of a few operations, by
// the square root of the terms of a sum, and by one rounding to T (half a unit: 2^-8 of the value for Bf16, which may
// fall to either side).
template <typename T>
double Tolerance(double scale, int64_t terms) {
  const double f32 = 8 * 0x1p-24 * std::sqrt(static_cast<double>(terms));
  return scale * (f32 + (sizeof(T) == 2 ? 0x1p-8 : 0));
}

template <typename A, typename B>
void ExpectNear(const std::vector<A>& expected, const std::vector<B>& actual, double tolerance, int64_t length) {
  ASSERT_EQ(expected.size(), actual.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    const double want = ToFloat(expected[i]);
    ASSERT_NEAR(want, ToFloat(actual[i]), tolerance * std::max(1.0, std::abs(want)))
        << "length " << length << " at " << i;
  }
}

template <typename T>
class ElementwiseTest : public testing::Test {
 public:
  const Elementwise<T>& fast = FastElementwise<T>();
  const Elementwise<T>& plain = ReferenceElementwise<T>();
};
using Types = testing::Types<float, Bf16>;
TYPED_TEST_SUITE(ElementwiseTest, Types);

TYPED_TEST(ElementwiseTest, GatherAndScatter_CopyAndAddExactly) {
  using T = TypeParam;
  const uint32_t tokens[] = {2, 0, 2, 4};
  for (const int64_t n : kLengths) {
    const auto table = Random<T>(5 * n, 1);
    std::vector<float> a(4 * n), b(4 * n);
    this->plain.gather_rows(table.data(), tokens, 4, n, a.data());
    this->fast.gather_rows(table.data(), tokens, 4, n, b.data());
    EXPECT_EQ(a, b);
    auto x = Random<float>(5 * n, 2);
    auto y = x;
    this->plain.scatter_add_rows(a.data(), tokens, 4, n, n / 3, n, x.data());
    this->fast.scatter_add_rows(a.data(), tokens, 4, n, n / 3, n, y.data());
    EXPECT_EQ(x, y);
  }
}

TYPED_TEST(ElementwiseTest, RmsNorm_MatchesReference) {
  using T = TypeParam;
  for (const int64_t n : kLengths) {
    const auto x = Random<float>(kRows * n, 1, 3.0f);
    const auto weight = Random<T>(n, 2);
    std::vector<T> unit_a(kRows * n), out_a(kRows * n), unit_b(kRows * n), out_b(kRows * n);
    std::vector<float> inverse_a(kRows), inverse_b(kRows);
    this->plain.rms_norm_forward(x.data(), weight.data(), 1e-5f, kRows, n, unit_a.data(), out_a.data(),
                                 inverse_a.data());
    this->fast.rms_norm_forward(x.data(), weight.data(), 1e-5f, kRows, n, unit_b.data(), out_b.data(),
                                inverse_b.data());
    ExpectNear(unit_a, unit_b, Tolerance<T>(1, n), n);
    ExpectNear(out_a, out_b, Tolerance<T>(1, n), n);
    ExpectNear(inverse_a, inverse_b, Tolerance<float>(1, n), n);

    const auto d_out = Random<T>(kRows * n, 3);
    for (const bool accumulate : {false, true}) {
      auto d_x_a = Random<float>(kRows * n, 4);
      auto d_x_b = d_x_a;
      std::vector<T> low_a(kRows * n), low_b(kRows * n);
      std::vector<float> d_w_a(n, 0.5f), d_w_b(n, 0.5f);
      this->plain.rms_norm_backward(d_out.data(), unit_a.data(), inverse_a.data(), weight.data(), kRows, n, accumulate,
                                    d_x_a.data(), low_a.data(), d_w_a.data());
      this->fast.rms_norm_backward(d_out.data(), unit_a.data(), inverse_a.data(), weight.data(), kRows, n, accumulate,
                                   d_x_b.data(), low_b.data(), d_w_b.data());
      // The values reach |inverse · d_out · weight|, which a short row of small numbers makes large.
      const double size = 4 * (1 + *std::max_element(inverse_a.begin(), inverse_a.end()));
      ExpectNear(d_x_a, d_x_b, Tolerance<float>(size, n), n);
      ExpectNear(low_a, low_b, Tolerance<T>(size, n), n);
      ExpectNear(d_w_a, d_w_b, Tolerance<float>(4, kRows), n);
    }
  }
}

TYPED_TEST(ElementwiseTest, SplitHeads_MatchesReferenceAndMergeHeadsIsTheWayBack) {
  using T = TypeParam;
  for (const int64_t half : {1, 2, 4, 5, 8, 16, 20, 32}) {
    const int64_t heads = 3, rotated = 2, dim = 2 * half, length = 7, position = 4;
    std::vector<float> cosine(length * half), sine(length * half);
    for (int64_t i = 0; i < length * half; ++i) {
      cosine[i] = std::cos(0.37f * static_cast<float>(i));
      sine[i] = std::sin(0.37f * static_cast<float>(i));
    }
    const auto original = Random<T>(kRows * heads * dim, 1);
    std::vector<T> a(heads * length * dim), b(heads * length * dim), back_a(original.size()), back_b(original.size());
    this->plain.split_heads(original.data(), kRows, heads, rotated, dim, position, length, cosine.data(), sine.data(),
                            a.data());
    this->fast.split_heads(original.data(), kRows, heads, rotated, dim, position, length, cosine.data(), sine.data(),
                           b.data());
    ExpectNear(a, b, Tolerance<T>(1, 2), half);
    this->plain.merge_heads(a.data(), kRows, heads, rotated, dim, position, length, cosine.data(), sine.data(),
                            back_a.data());
    this->fast.merge_heads(a.data(), kRows, heads, rotated, dim, position, length, cosine.data(), sine.data(),
                           back_b.data());
    ExpectNear(back_a, back_b, Tolerance<T>(1, 2), half);
    ExpectNear(original, back_b, 4 * Tolerance<T>(1, 2), half);
  }
}

TYPED_TEST(ElementwiseTest, SwiGlu_MatchesReference) {
  using T = TypeParam;
  for (const int64_t n : kLengths) {
    auto gate_up_a = Random<T>(kRows * 2 * n, 1, 4.0f);
    auto gate_up_b = gate_up_a;
    std::vector<T> out_a(kRows * n), out_b(kRows * n);
    this->plain.swi_glu_forward(gate_up_a.data(), kRows, n, out_a.data());
    this->fast.swi_glu_forward(gate_up_b.data(), kRows, n, out_b.data());
    ExpectNear(out_a, out_b, Tolerance<T>(1, 4), n);
    auto d_a = Random<T>(kRows * n, 2);
    auto d_b = d_a;
    this->plain.swi_glu_backward(d_a.data(), gate_up_a.data(), kRows, n);
    this->fast.swi_glu_backward(d_b.data(), gate_up_b.data(), kRows, n);
    ExpectNear(gate_up_a, gate_up_b, Tolerance<T>(4, 8), n);
    ExpectNear(out_b, d_b, Tolerance<T>(1, 4), n);  // the forward value again
  }
}

TYPED_TEST(ElementwiseTest, GeGlu_MatchesReferenceWithAndWithoutFactors) {
  using T = TypeParam;
  const float row_factors[] = {0.5f, 0.0f, 1.75f};
  for (const int64_t n : kLengths) {
    for (const float* factors : {static_cast<const float*>(nullptr), row_factors}) {
      auto gate_up_a = Random<T>(kRows * 2 * n, 1, 3.0f);
      auto gate_up_b = gate_up_a;
      std::vector<T> out_a(kRows * n), out_b(kRows * n);
      this->plain.ge_glu_forward(gate_up_a.data(), factors, kRows, n, out_a.data());
      this->fast.ge_glu_forward(gate_up_b.data(), factors, kRows, n, out_b.data());
      ExpectNear(out_a, out_b, Tolerance<T>(1, 8), n);
      auto d_a = Random<T>(kRows * n, 2);
      auto d_b = d_a;
      std::vector<float> d_factors_a(kRows), d_factors_b(kRows);
      this->plain.ge_glu_backward(d_a.data(), gate_up_a.data(), factors, kRows, n, d_factors_a.data());
      this->fast.ge_glu_backward(d_b.data(), gate_up_b.data(), factors, kRows, n, d_factors_b.data());
      ExpectNear(gate_up_a, gate_up_b, Tolerance<T>(4, 8), n);
      ExpectNear(out_b, d_b, Tolerance<T>(1, 8), n);  // the forward value again
      ExpectNear(d_factors_a, d_factors_b, Tolerance<float>(8, n), n);
    }
  }
}

TYPED_TEST(ElementwiseTest, RmsNormAdd_MatchesReference) {
  using T = TypeParam;
  for (const int64_t n : kLengths) {
    const auto x = Random<float>(kRows * n, 1, 3.0f);
    const auto weight = Random<T>(n, 2);
    auto sum_a = Random<float>(kRows * n, 3);
    auto sum_b = sum_a;
    std::vector<T> unit_a(kRows * n), unit_b(kRows * n);
    std::vector<float> inverse_a(kRows), inverse_b(kRows);
    this->plain.rms_norm_add_forward(x.data(), weight.data(), 1e-5f, kRows, n, unit_a.data(), sum_a.data(),
                                     inverse_a.data());
    this->fast.rms_norm_add_forward(x.data(), weight.data(), 1e-5f, kRows, n, unit_b.data(), sum_b.data(),
                                    inverse_b.data());
    ExpectNear(unit_a, unit_b, Tolerance<T>(1, n), n);
    ExpectNear(sum_a, sum_b, Tolerance<float>(1, n), n);
    ExpectNear(inverse_a, inverse_b, Tolerance<float>(1, n), n);
  }
}

TYPED_TEST(ElementwiseTest, CappedCrossEntropy_MatchesReferenceWithAndWithoutCap) {
  using T = TypeParam;
  for (const int64_t n : kLengths) {
    for (const float cap : {0.0f, 5.0f}) {
      auto a = Random<T>(kRows * n, 1, 6.0f);
      auto b = a;
      const uint32_t targets[] = {0, static_cast<uint32_t>(n - 1), static_cast<uint32_t>(n / 2)};
      std::vector<float> losses_a(kRows), losses_b(kRows), scratch(2 * n);
      auto capped_a = Random<float>(n, 5, 9.0f);
      auto capped_b = capped_a;
      this->plain.soft_cap(capped_a.data(), n, 0.5f, cap);
      this->fast.soft_cap(capped_b.data(), n, 0.5f, cap);
      ExpectNear(capped_a, capped_b, Tolerance<float>(1, 8), n);
      this->plain.capped_cross_entropy(a.data(), targets, kRows, n, 0.5f, cap, 0.25f, losses_a.data(), scratch.data());
      this->fast.capped_cross_entropy(b.data(), targets, kRows, n, 0.5f, cap, 0.25f, losses_b.data(), scratch.data());
      ExpectNear(losses_a, losses_b, Tolerance<float>(12, n), n);
      ExpectNear(a, b, Tolerance<T>(0.25, n), n);
    }
  }
}

TYPED_TEST(ElementwiseTest, SoftmaxCrossEntropy_MatchesReferenceAndSurvivesLargeLogits) {
  using T = TypeParam;
  for (const int64_t n : kLengths) {
    for (const float deviation : {1.0f, 60.0f}) {
      auto a = Random<T>(kRows * n, 1, deviation);
      auto b = a;
      const uint32_t targets[] = {0, static_cast<uint32_t>(n - 1), static_cast<uint32_t>(n / 2)};
      std::vector<float> losses_a(kRows), losses_b(kRows), scratch(n);
      this->plain.softmax_cross_entropy(a.data(), targets, kRows, n, 0.25f, losses_a.data(), scratch.data());
      this->fast.softmax_cross_entropy(b.data(), targets, kRows, n, 0.25f, losses_b.data(), scratch.data());
      // A loss is a difference of logits: its error is relative to them.
      ExpectNear(losses_a, losses_b, Tolerance<float>(4 * deviation, n), n);
      ExpectNear(a, b, Tolerance<T>(0.25, n), n);
    }
  }
}

TYPED_TEST(ElementwiseTest, AttentionSoftmax_MatchesReferenceInsideTheWindowAndIsZeroOutside) {
  using T = TypeParam;
  for (const int64_t n : kLengths) {
    const float cap = n % 2 == 0 ? 0.0f : 3.0f;
    const int64_t stride = (n + 15) / 16 * 16;
    const int32_t middle = static_cast<int32_t>(n / 2), end = static_cast<int32_t>(n - 1);
    const int32_t first[] = {0, middle, end};
    const int32_t last[] = {middle, end, end};
    const auto scores = Random<float>(kRows * stride, 1, 8.0f);
    const auto filled = [&] { return std::vector<T>(kRows * stride, FromFloat<T>(7)); };
    // What lies beyond `columns` in a row is free to hold anything.
    const auto inside = [&](const std::vector<T>& all) {
      std::vector<T> kept;
      for (int64_t r = 0; r < kRows; ++r) {
        kept.insert(kept.end(), all.begin() + r * stride, all.begin() + r * stride + n);
      }
      return kept;
    };
    auto p_a = filled(), p_b = filled(), d_s_a = filled(), d_s_b = filled();
    std::vector<float> inverse_a(kRows), inverse_b(kRows), sums_a(kRows), sums_b(kRows);
    this->plain.attention_softmax_forward(scores.data(), first, last, kRows, n, stride, 0.5f, cap, p_a.data(),
                                          inverse_a.data(), sums_a.data());
    this->fast.attention_softmax_forward(scores.data(), first, last, kRows, n, stride, 0.5f, cap, p_b.data(),
                                         inverse_b.data(), sums_b.data());
    // An exponential's error is relative to its argument, which reaches about 20.
    ExpectNear(inside(p_a), inside(p_b), Tolerance<T>(2, 4), n);
    ExpectNear(inverse_a, inverse_b, Tolerance<float>(2, n), n);
    ExpectNear(sums_a, sums_b, Tolerance<float>(4, n), n);
    EXPECT_EQ(ToFloat(p_b[stride + n / 2 - (n > 1 ? 1 : 0)]), n > 1 ? 0.0f : 1.0f);
    const auto d_p = Random<float>(kRows * stride, 2);
    const float delta[] = {0.1f, -0.2f, 0.3f};
    this->plain.attention_softmax_backward(scores.data(), d_p.data(), first, last, sums_a.data(), delta, kRows, n,
                                           stride, 0.5f, cap, p_a.data(), d_s_a.data());
    this->fast.attention_softmax_backward(scores.data(), d_p.data(), first, last, sums_a.data(), delta, kRows, n,
                                          stride, 0.5f, cap, p_b.data(), d_s_b.data());
    ExpectNear(inside(p_a), inside(p_b), Tolerance<T>(4, 1), n);
    ExpectNear(inside(d_s_a), inside(d_s_b), Tolerance<T>(4, 1), n);
  }
}

TYPED_TEST(ElementwiseTest, RowDotsStoreRowsAndSumOfSquares_MatchReference) {
  using T = TypeParam;
  for (const int64_t n : kLengths) {
    const auto a = Random<T>(kRows * (n + 2), 1);
    const auto b = Random<T>(kRows * (n + 2), 2);
    std::vector<float> sums_a(kRows), sums_b(kRows);
    this->plain.row_dots(a.data(), n + 2, b.data(), n + 1, kRows, n, sums_a.data());
    this->fast.row_dots(a.data(), n + 2, b.data(), n + 1, kRows, n, sums_b.data());
    ExpectNear(sums_a, sums_b, Tolerance<float>(4, n), n);
    const auto x = Random<float>(kRows * n, 3);
    std::vector<T> out_a(kRows * (n + 2)), out_b(kRows * (n + 2));
    const float factors[] = {0.5f, 2.0f, 1.25f};
    this->plain.store_rows(x.data(), factors, kRows, n, n + 2, out_a.data());
    this->fast.store_rows(x.data(), factors, kRows, n, n + 2, out_b.data());
    ExpectNear(out_a, out_b, Tolerance<T>(1, 1), n);
    this->plain.store_rows(x.data(), nullptr, kRows, n, n + 2, out_a.data());
    this->fast.store_rows(x.data(), nullptr, kRows, n, n + 2, out_b.data());
    for (size_t i = 0; i < out_a.size(); ++i) EXPECT_EQ(ToFloat(out_a[i]), ToFloat(out_b[i]));
    EXPECT_NEAR(this->plain.sum_of_squares(x.data(), kRows * n), this->fast.sum_of_squares(x.data(), kRows * n),
                Tolerance<float>(1, kRows * n) * static_cast<double>(kRows * n));
  }
}

TYPED_TEST(ElementwiseTest, AdamW_MatchesReference) {
  using T = TypeParam;
  const AdamW settings{1e-2f, 0.9f, 0.95f, 1e-8f, 0.1f, 0.7f, 0.271f, 0.1426f};
  for (const int64_t n : kLengths) {
    const auto gradient = Random<float>(n, 1);
    auto w_a = Random<float>(n, 2), m_a = Random<float>(n, 3), v_a = Random<float>(n, 4);
    for (float& value : v_a) value = std::abs(value);
    auto w_b = w_a, m_b = m_a, v_b = v_a;
    std::vector<T> low_a(n), low_b(n);
    this->plain.adamw_step(settings, gradient.data(), n, w_a.data(), m_a.data(), v_a.data(), low_a.data());
    this->fast.adamw_step(settings, gradient.data(), n, w_b.data(), m_b.data(), v_b.data(), low_b.data());
    ExpectNear(w_a, w_b, Tolerance<float>(1, 8), n);
    ExpectNear(m_a, m_b, Tolerance<float>(1, 4), n);
    ExpectNear(v_a, v_b, Tolerance<float>(1, 4), n);
    ExpectNear(low_a, low_b, Tolerance<T>(1, 8), n);
  }
}

TEST(Bf16, From_RoundsToNearestEvenAndKeepsNaN) {
  EXPECT_EQ(Bf16::From(1.0f).bits, 0x3f80);
  EXPECT_EQ(Bf16::From(std::bit_cast<float>(0x3f808000u)).bits, 0x3f80);  // a tie: to even
  EXPECT_EQ(Bf16::From(std::bit_cast<float>(0x3f818000u)).bits, 0x3f82);
  EXPECT_EQ(Bf16::From(std::bit_cast<float>(0x3f808001u)).bits, 0x3f81);
  EXPECT_TRUE(std::isnan(Bf16::From(NAN).ToFloat()));
  EXPECT_TRUE(std::isnan(Bf16::From(std::bit_cast<float>(0x7fffffffu)).ToFloat()));
  EXPECT_TRUE(std::isinf(Bf16::From(INFINITY).ToFloat()));
}

}  // namespace
}  // namespace rhodes
