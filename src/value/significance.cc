#include "value/significance.h"

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace rhodes {
namespace {

// The continued fraction of the incomplete beta function, evaluated from the front (Lentz's method).
double BetaFraction(double x, double a, double b) {
  constexpr double kTiny = std::numeric_limits<double>::min() / std::numeric_limits<double>::epsilon();
  constexpr int kTerms = 10'000;
  const auto away = [](double value) { return std::abs(value) < kTiny ? kTiny : value; };
  double c = 1;
  double d = 1 / away(1 - (a + b) * x / (a + 1));
  double product = d;
  for (int m = 1; m < kTerms; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away(1 + even * d);
    c = away(1 + even / c);
    product *= c * d;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away(1 + odd * d);
    c = away(1 + odd / c);
    product *= c * d;
    if (std::abs(c * d - 1) < 1e-15) break;
  }
  return product;
}

double IncompleteBeta(double x, double a, double b) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front =
      std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x));
  // The fraction converges fast on one side only; the other side is the complement.
  return x < (a + 1) / (a + b + 2) ? front * BetaFraction(x, a, b) / a : 1 - front * BetaFraction(1 - x, b, a) / b;
}

}  // namespace

Spread SpreadOf(std::span<const double> values) {
  Spread spread;
  if (values.empty()) return spread;
  for (const double value : values) spread.mean += value;
  spread.mean /= static_cast<double>(values.size());
  if (values.size() < 2) return spread;
  double squares = 0;
  for (const double value : values) squares += (value - spread.mean) * (value - spread.mean);
  spread.deviation = std::sqrt(squares / static_cast<double>(values.size() - 1));
  return spread;
}

double TwoSidedStudent(double t, int degrees) {
  const double df = degrees;
  return IncompleteBeta(df / (df + t * t), df / 2, 0.5);
}

double StudentQuantile(double p, int degrees) {
  double low = 0;
  double high = 1;
  while (TwoSidedStudent(high, degrees) > p) high *= 2;
  for (int i = 0; i < 200; ++i) {
    const double middle = (low + high) / 2;
    (TwoSidedStudent(middle, degrees) > p ? low : high) = middle;
  }
  return (low + high) / 2;
}

PairedTest TestPaired(std::span<const double> a, std::span<const double> b) {
  std::vector<double> differences(a.size());
  for (size_t i = 0; i < a.size(); ++i) differences[i] = a[i] - b[i];
  PairedTest test;
  test.difference = SpreadOf(differences);
  test.low = test.high = test.difference.mean;
  if (a.size() < 2) return test;
  test.degrees = static_cast<int>(a.size()) - 1;
  const double error = test.difference.deviation / std::sqrt(static_cast<double>(a.size()));
  if (error == 0) {
    test.p = test.difference.mean == 0 ? 1 : 0;
    return test;
  }
  test.t = test.difference.mean / error;
  test.p = TwoSidedStudent(test.t, test.degrees);
  const double reach = error * StudentQuantile(0.05, test.degrees);
  test.low -= reach;
  test.high += reach;
  return test;
}

}  // namespace rhodes
