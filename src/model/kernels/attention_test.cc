#include "model/kernels/attention.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "model/kernels/product.h"

namespace rhodes {
namespace {

struct Case {
  int64_t heads, kv_heads, dim, sequences, length;
  double cap = 0;
};

// Attention as its formula says, in f64, without rotary positions; gradients by the chain rule written out.
struct Plain {
  std::vector<double> out, d_qkv;
};

Plain Compute(const Case& c, const std::vector<float>& qkv, const std::vector<int32_t>& starts,
              const std::vector<float>& d_out) {
  const int64_t stride = (c.heads + 2 * c.kv_heads) * c.dim;
  Plain result;
  result.out.resize(c.sequences * c.length * c.heads * c.dim);
  result.d_qkv.resize(qkv.size());
  const double scale = 1 / std::sqrt(static_cast<double>(c.dim));
  for (int64_t s = 0; s < c.sequences; ++s) {
    for (int64_t h = 0; h < c.heads; ++h) {
      const int64_t kv = h / (c.heads / c.kv_heads);
      const int64_t q_at = h * c.dim, k_at = (c.heads + kv) * c.dim, v_at = k_at + c.kv_heads * c.dim;
      for (int64_t t = 0; t < c.length; ++t) {
        const int64_t row = (s * c.length + t) * stride;
        const int64_t out_row = (s * c.length + t) * c.heads * c.dim + h * c.dim;
        const int64_t first = starts[s * c.length + t];
        std::vector<double> p(t + 1), d_p(t + 1), capped(t + 1);
        double sum = 0, delta = 0;
        for (int64_t j = first; j <= t; ++j) {
          const int64_t key = (s * c.length + j) * stride + k_at;
          double dot = 0;
          for (int64_t i = 0; i < c.dim; ++i) dot += double{qkv[row + q_at + i]} * qkv[key + i];
          capped[j] = c.cap > 0 ? c.cap * std::tanh(dot * scale / c.cap) : dot * scale;
          sum += p[j] = std::exp(capped[j]);
        }
        for (int64_t j = first; j <= t; ++j) {
          const int64_t value = (s * c.length + j) * stride + v_at;
          p[j] /= sum;
          for (int64_t i = 0; i < c.dim; ++i) {
            result.out[out_row + i] += p[j] * qkv[value + i];
            d_p[j] += double{d_out[out_row + i]} * qkv[value + i];
            result.d_qkv[value + i] += p[j] * d_out[out_row + i];
          }
          delta += p[j] * d_p[j];
        }
        for (int64_t j = first; j <= t; ++j) {
          const int64_t key = (s * c.length + j) * stride + k_at;
          const double slope = c.cap > 0 ? 1 - capped[j] / c.cap * capped[j] / c.cap : 1;
          const double d_score = p[j] * (d_p[j] - delta) * scale * slope;
          for (int64_t i = 0; i < c.dim; ++i) {
            result.d_qkv[row + q_at + i] += d_score * qkv[key + i];
            result.d_qkv[key + i] += d_score * qkv[row + q_at + i];
          }
        }
      }
    }
  }
  return result;
}

template <typename T>
void Check(const Case& c, double tolerance) {
  SCOPED_TRACE(fmt::format("heads {}/{} of {}, {} x {}, {} bytes", c.heads, c.kv_heads, c.dim, c.sequences, c.length,
                           sizeof(T)));
  std::mt19937 random(5);
  std::normal_distribution<float> normal(0, 1);
  const int64_t rows = c.sequences * c.length;
  const int64_t stride = (c.heads + 2 * c.kv_heads) * c.dim;
  std::vector<T> qkv(rows * stride), d_out(rows * c.heads * c.dim), out(d_out.size()), d_qkv(qkv.size()),
      split(qkv.size());
  std::vector<float> wide, d_wide;  // the same numbers, rounded to T
  for (T& x : qkv) wide.push_back(ToFloat(x = FromFloat<T>(normal(random))));
  for (T& x : d_out) d_wide.push_back(ToFloat(x = FromFloat<T>(normal(random))));
  std::vector<int32_t> starts(rows);
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t t = r % c.length;
    starts[r] = t == 0 ? 0 : (t == c.length / 2 || t == c.length - 3) ? static_cast<int32_t>(t) : starts[r - 1];
  }
  std::vector<float> log_sum(rows * c.heads);
  const std::vector<float> cosine(c.length * c.dim / 2, 1.0f), sine(c.length * c.dim / 2, 0.0f);  // no rotation
  Attention<T> attention({c.heads, c.kv_heads, c.dim, c.length, static_cast<float>(c.cap)}, rows, true, 2);
  attention.Forward(qkv.data(), starts.data(), cosine.data(), sine.data(), c.sequences, c.length, split.data(),
                    out.data(), log_sum.data());
  attention.Backward(d_out.data(), out.data(), split.data(), log_sum.data(), starts.data(), cosine.data(), sine.data(),
                     c.sequences, c.length, d_qkv.data());
  ASSERT_TRUE(attention.status().ok()) << Message(attention.status());
  const Plain plain = Compute(c, wide, starts, d_wide);
  for (size_t i = 0; i < out.size(); ++i) ASSERT_NEAR(ToFloat(out[i]), plain.out[i], tolerance) << "out " << i;
  for (size_t i = 0; i < d_qkv.size(); ++i) {
    ASSERT_NEAR(ToFloat(d_qkv[i]), plain.d_qkv[i], tolerance * std::max(1.0, std::abs(plain.d_qkv[i])))
        << "d_qkv " << i;
  }
}

TEST(Attention, MatchesTheFormulaForwardAndBackward) {
  // One block, blocks and a remainder, grouped heads, odd sizes, one position, scores under a cap.
  for (const Case& c : {Case{2, 2, 16, 2, 9}, Case{2, 1, 32, 1, 300}, Case{4, 2, 10, 2, 129}, Case{3, 3, 64, 1, 256},
                        Case{1, 1, 2, 3, 4}, Case{4, 2, 16, 2, 140, 1.5}}) {
    // f32: sums of up to 300 terms of size one. bf16: values, weights and results are rounded to 2^-9 each, and sums of
    // random terms grow with the square root of their number.
    Check<float>(c, 2e-5);
    Check<Bf16>(c, 4e-2);
  }
}

}  // namespace
}  // namespace rhodes
