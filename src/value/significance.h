// Whether a difference between paired measurements is more than chance: Student's paired t-test.
#ifndef RHODES_VALUE_SIGNIFICANCE_H_
#define RHODES_VALUE_SIGNIFICANCE_H_

#include <span>

namespace rhodes {

struct Spread {
  double mean = 0;
  double deviation = 0;  // standard deviation of the sample (n - 1); 0 for fewer than two values
};
Spread SpreadOf(std::span<const double> values);

// The differences a[i] - b[i] against zero.
struct PairedTest {
  Spread difference;
  double t = 0;              // mean over its standard error; 0 when the differences do not vary
  int degrees = 0;           // of freedom: pairs - 1
  double p = 1;              // of a difference at least this large either way when there is none in truth
  double low = 0, high = 0;  // the 95 % confidence interval of the mean; both the mean when it does not vary
};
// `a` and `b` are of the same length. Fewer than two pairs: p stays 1. Differences that do not vary: p is 1 when they
// are all 0, else 0.
PairedTest TestPaired(std::span<const double> a, std::span<const double> b);

// P(|T| >= |t|) of Student's distribution with `degrees` (at least 1) degrees of freedom: the regularised incomplete
// beta function I_x(degrees / 2, 1 / 2) at x = degrees / (degrees + t²), by its continued fraction (Abramowitz and
// Stegun 26.5.8 and 26.7.1).
double TwoSidedStudent(double t, int degrees);
// The t at which TwoSidedStudent() is `p` in (0, 1).
double StudentQuantile(double p, int degrees);

}  // namespace rhodes

#endif  // RHODES_VALUE_SIGNIFICANCE_H_
