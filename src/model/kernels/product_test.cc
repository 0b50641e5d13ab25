#include "model/kernels/product.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <random>
#include <vector>

namespace rhodes {
namespace {

struct Shape {
  int64_t m, n, k;
};

// Every layout that the model uses, at odd sizes, against a plain sum.
template <typename A, typename C>
void Check(Shape shape, int threads, bool left_transposed, bool right_transposed, bool accumulate) {
  const auto [m, n, k] = shape;
  const int64_t slack = 3;
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 1);
  const Matrix<const A> shape_a{nullptr, (left_transposed ? m : k) + slack, left_transposed};
  const Matrix<const A> shape_b{nullptr, (right_transposed ? k : n) + slack, right_transposed};
  std::vector<A> a(shape_a.leading * (left_transposed ? k : m)), b(shape_b.leading * (right_transposed ? n : k));
  std::vector<C> c((n + slack) * m, FromFloat<C>(0.5f));
  for (A& x : a) x = FromFloat<A>(normal(random));
  for (A& x : b) x = FromFloat<A>(normal(random));
  Products products(threads);
  products.Run(m, n, k, Matrix<const A>{a.data(), shape_a.leading, left_transposed},
               Matrix<const A>{b.data(), shape_b.leading, right_transposed}, Matrix<C>{c.data(), n + slack},
               accumulate);
  ASSERT_TRUE(products.status().ok()) << Message(products.status());
  // 51 terms of size one, summed in f32; then one rounding to C.
  const double tolerance = sizeof(C) == 2 ? 0x1p-8 : 1e-5;
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      double sum = accumulate ? 0.5 : 0;
      for (int64_t l = 0; l < k; ++l) {
        sum += double{ToFloat(left_transposed ? a[l * shape_a.leading + i] : a[i * shape_a.leading + l])} *
               ToFloat(right_transposed ? b[j * shape_b.leading + l] : b[l * shape_b.leading + j]);
      }
      ASSERT_NEAR(ToFloat(c[i * (n + slack) + j]), sum, tolerance * std::max(1.0, std::abs(sum)));
    }
    for (int64_t j = n; j < n + slack; ++j) ASSERT_EQ(ToFloat(c[i * (n + slack) + j]), 0.5f);
  }
}

TEST(Products, AllLayoutsMatchAPlainSum) {
  for (const int threads : {1, 2}) {
    for (const bool left : {false, true}) {
      for (const bool right : {false, true}) {
        for (const bool accumulate : {false, true}) {
          Check<float, float>({37, 29, 51}, threads, left, right, accumulate);
          Check<Bf16, float>({37, 29, 51}, threads, left, right, accumulate);
          Check<Bf16, Bf16>({37, 29, 51}, threads, left, right, accumulate);
        }
      }
    }
  }
}

// More rows than columns, more columns than rows, and more columns than a thread makes at once.
TEST(Products, PartsOfATeamMatchAPlainSum) {
  for (const Shape shape : {Shape{333, 290, 51}, Shape{290, 333, 51}, Shape{3, 9001, 51}}) {
    for (const int threads : {2, 3}) {
      for (const bool left : {false, true}) {
        for (const bool right : {false, true}) {
          Check<float, float>(shape, threads, left, right, true);
          Check<Bf16, float>(shape, threads, left, right, true);
          Check<Bf16, Bf16>(shape, threads, left, right, false);
        }
      }
    }
  }
}

TEST(Products, RunWithOneThreadInsideAParallelRegion) {
  std::vector<float> a(64 * 64, 1.0f), results[4];
#pragma omp parallel for num_threads(4)
  for (int i = 0; i < 4; ++i) {
    Products products(1);
    results[i].resize(64 * 64);
    products.Run(64, 64, 64, Matrix<const float>{a.data(), 64}, Matrix<const float>{a.data(), 64},
                 Matrix<float>{results[i].data(), 64});
  }
  for (const std::vector<float>& result : results) EXPECT_EQ(result, std::vector<float>(64 * 64, 64.0f));
}

TEST(Products, PeakIsPositive) { EXPECT_GT(MeasurePeak(ComputeType::kF32, 1, 0.02), 1e8); }

}  // namespace
}  // namespace rhodes
