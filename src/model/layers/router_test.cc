#include "model/layers/router.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace rhodes {
namespace {

struct Routed {
  explicit Routed(const RouterShape& shape, const std::vector<float>& logits)
      : probabilities(logits.size()), chosen(static_cast<size_t>(shape.chosen)), shares(chosen.size()) {
    Route(shape, logits, probabilities, chosen, shares);
  }
  std::vector<float> probabilities;
  std::vector<int32_t> chosen;
  std::vector<float> shares;
};

TEST(Router, TakesTheLikeliestAndOfEqualOnesTheLower) {
  const std::vector<float> logits = {1, 3, 3, 0};
  const Routed two({4, 2, true, 0}, logits);
  EXPECT_EQ(two.chosen, (std::vector<int32_t>{1, 2}));
  EXPECT_FLOAT_EQ(two.shares[0], 0.5f);
  const Routed one({4, 1, false, 0}, logits);
  EXPECT_EQ(one.chosen, std::vector<int32_t>{1});
  const double sum = std::exp(1) + 2 * std::exp(3) + 1;
  EXPECT_NEAR(one.shares[0], std::exp(3) / sum, 1e-6);
  // The cap bends the probabilities and leaves the order.
  const Routed capped({4, 2, false, 2.0f}, {0, 10, 4, 1});
  EXPECT_EQ(capped.chosen, (std::vector<int32_t>{1, 2}));
  EXPECT_NEAR(capped.shares[1] / capped.shares[0], std::exp(2 * std::tanh(2.0) - 2 * std::tanh(5.0)), 1e-6);
}

TEST(Router, RenormalisedAndPlainSharesAgreeWhereEveryExpertIsChosen) {
  const std::vector<float> logits = {0.3f, -1, 2, 0.1f};
  const Routed renormalised({4, 4, true, 0}, logits);
  const Routed plain({4, 4, false, 0}, logits);
  for (size_t k = 0; k < 4; ++k) EXPECT_NEAR(renormalised.shares[k], plain.shares[k], 1e-6);
}

TEST(Router, Backward_MatchesDifferences) {
  const std::vector<double> logits = {0.5, -0.7, 1.3, 0.9, -0.2};
  const std::vector<float> d_shares = {0.8f, -1.1f}, none(5);
  for (const bool renormalize : {false, true}) {
    for (const float cap : {0.0f, 1.5f}) {
      const RouterShape shape{5, 2, renormalize, cap};
      // Σ d_share · share in f64, with the choice of the unmoved logits.
      const auto value = [&](const std::vector<double>& x) {
        std::vector<double> p(5);
        double all = 0;
        for (size_t e = 0; e < 5; ++e) all += p[e] = std::exp(cap > 0 ? cap * std::tanh(x[e] / cap) : x[e]);
        const double whole = renormalize ? p[2] + p[3] : all;
        return d_shares[0] * p[2] / whole + d_shares[1] * p[3] / whole;
      };
      const std::vector<float> narrow(logits.begin(), logits.end());
      const Routed routed(shape, narrow);
      ASSERT_EQ(routed.chosen, (std::vector<int32_t>{2, 3}));
      std::vector<float> d_logits(5);
      RouteBackward(shape, narrow, routed.probabilities, routed.chosen, routed.shares, d_shares, {none, 0}, d_logits);
      for (size_t e = 0; e < 5; ++e) {
        std::vector<double> more = logits, less = logits;
        more[e] += 1e-5;
        less[e] -= 1e-5;
        EXPECT_NEAR(d_logits[e], (value(more) - value(less)) / 2e-5, 1e-6) << renormalize << " " << cap << " " << e;
      }
    }
  }
}

}  // namespace
}  // namespace rhodes
