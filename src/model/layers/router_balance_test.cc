#include "model/layers/router_balance.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "base/json.h"

namespace rhodes {
namespace {

ModelConfig Config(int64_t experts, int64_t chosen, double cap, int64_t layers = 1) {
  ModelConfig config;
  config.layers = layers;
  config.experts = experts;
  config.experts_per_token = chosen;
  config.router_cap = cap;
  config.router = cap > 0 ? RouterConvention::kSglang : RouterConvention::kLlamaCpp;
  return config;
}

ModelOptions Options(int64_t sequences, int64_t length, double aux, double z, int threads = 2) {
  ModelOptions options{ComputeType::kF32, threads, sequences, length, true};
  options.router_aux_loss = aux;
  options.router_z_loss = z;
  return options;
}

// Some rows of logits, routed.
struct Routed {
  Routed(const ModelConfig& config, std::vector<float> of)
      : shape(RouterShapeOf(config)),
        logits(std::move(of)),
        rows(logits.size() / static_cast<size_t>(shape.experts)),
        probabilities(logits.size()),
        chosen(rows * static_cast<size_t>(shape.chosen)),
        shares(chosen.size()) {
    const size_t experts = static_cast<size_t>(shape.experts), k = static_cast<size_t>(shape.chosen);
    for (size_t r = 0; r < rows; ++r) {
      Route(shape, std::span(logits).subspan(r * experts, experts),
            std::span(probabilities).subspan(r * experts, experts), std::span(chosen).subspan(r * k, k),
            std::span(shares).subspan(r * k, k));
    }
  }
  RouterBalance::Routing routing() const { return {logits, probabilities, chosen}; }
  // The gradient in the logits of the routers' losses alone.
  std::vector<float> Gradient(const RouterBalance& balance) const {
    const size_t experts = static_cast<size_t>(shape.experts), k = static_cast<size_t>(shape.chosen);
    const std::vector<float> none(k);
    std::vector<float> d_logits(logits.size());
    for (size_t r = 0; r < rows; ++r) {
      RouteBackward(shape, std::span(logits).subspan(r * experts, experts),
                    std::span(probabilities).subspan(r * experts, experts), std::span(chosen).subspan(r * k, k),
                    std::span(shares).subspan(r * k, k), none, balance.GradientOf(static_cast<int64_t>(r)),
                    std::span(d_logits).subspan(r * experts, experts));
    }
    return d_logits;
  }

  RouterShape shape;
  std::vector<float> logits;
  size_t rows;
  std::vector<float> probabilities;
  std::vector<int32_t> chosen;
  std::vector<float> shares;
};

std::vector<float> RandomLogits(size_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<float> logits(count);
  for (float& x : logits) x = static_cast<float>(static_cast<double>(random() >> 11) * 0x1p-51 - 2);
  return logits;
}

TEST(RouterBalance, EqualsTransformersLoadBalancingLossAndItsGradientForOneSequence) {
  const absl::StatusOr<Json> goldens = ReadJsonFile(RHODES_SOURCE_DIR "/src/model/testdata/router_goldens.json");
  ASSERT_TRUE(goldens.ok()) << Message(goldens.status());
  for (const Json& golden : (*goldens)["layers"]) {
    const ModelConfig config = Config(golden["experts"], golden["chosen"], golden["cap"]);
    const Routed routed(config, golden["logits"].get<std::vector<float>>());
    const int64_t length = static_cast<int64_t>(routed.rows);
    for (const char* name : {"balance", "z"}) {
      SCOPED_TRACE(fmt::format("{} of {} experts", name, config.experts));
      const bool is_z = std::string_view(name) == "z";
      RouterBalance balance(config, Options(1, length, is_z ? 0 : 1, is_z ? 1 : 0));
      balance.Prepare(0, 1, length, routed.routing(), 1.0f / static_cast<float>(length));
      const std::vector<float> gradient = routed.Gradient(balance);
      const auto expected = golden[name]["gradient"].get<std::vector<double>>();
      double largest = 0;
      for (const double x : expected) largest = std::max(largest, std::abs(x));
      // Where every expert is chosen there is nothing to balance, and parts of about 1 / length cancel out in f32.
      const double tolerance = 2e-6 * std::max(largest, 1 / static_cast<double>(length));
      for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(gradient[i], expected[i], tolerance) << i;
      const RouterStatistics statistics = balance.Take();
      const double loss = golden[name]["loss"];
      EXPECT_NEAR(is_z ? statistics.z_loss() : statistics.balance_loss(), loss, 1e-6 * loss);
    }
  }
}

TEST(RouterBalance, Gradient_MatchesDifferencesInF64) {
  const size_t sequences = 2, length = 6, experts = 5, k = 2;
  const double aux = 0.7, z = 0.3;
  for (const double cap : {0.0, 1.5}) {
    const ModelConfig config = Config(5, 2, cap, 3);
    const Routed routed(config, RandomLogits(sequences * length * experts, 3));
    // Σ over sequences of length · (aux · balance + z) / layers, with the choices of the unmoved logits.
    const auto value = [&](const std::vector<double>& x) {
      double sum = 0;
      for (size_t s = 0; s < sequences; ++s) {
        std::vector<double> p(experts), often(experts);
        double z_sum = 0;
        for (size_t r = s * length; r < (s + 1) * length; ++r) {
          std::vector<double> e(experts);
          double all = 0;
          for (size_t i = 0; i < experts; ++i) {
            const double logit = x[r * experts + i];
            all += e[i] = std::exp(cap > 0 ? cap * std::tanh(logit / cap) : logit);
          }
          for (size_t i = 0; i < experts; ++i) p[i] += e[i] / all / static_cast<double>(length);
          for (size_t i = 0; i < k; ++i) {
            often[static_cast<size_t>(routed.chosen[r * k + i])] += 1 / static_cast<double>(length);
          }
          z_sum += std::pow(std::log(all), 2) / static_cast<double>(length);
        }
        double balance = 0;
        for (size_t i = 0; i < experts; ++i) balance += static_cast<double>(experts) * often[i] * p[i];
        sum += static_cast<double>(length) * (aux * balance + z * z_sum) / 3;
      }
      return sum;
    };
    RouterBalance balance(config, Options(2, 6, aux, z));
    balance.Prepare(1, 2, 6, routed.routing(), 0.25f);
    const std::vector<float> gradient = routed.Gradient(balance);
    std::vector<double> x(routed.logits.begin(), routed.logits.end());
    for (size_t i = 0; i < x.size(); ++i) {
      const double before = x[i];
      x[i] = before + 1e-5;
      const double more = value(x);
      x[i] = before - 1e-5;
      const double less = value(x);
      x[i] = before;
      EXPECT_NEAR(gradient[i], 0.25 * (more - less) / 2e-5, 1e-6) << "cap " << cap << ", logit " << i;
    }
  }
}

TEST(RouterBalance, IsKForAnEvenLoadAndTheNumberOfExpertsForACollapsedOne) {
  const ModelConfig config = Config(4, 2, 0);
  std::vector<float> even, collapsed;
  for (int r = 0; r < 8; ++r) {
    for (int e = 0; e < 4; ++e) {
      even.push_back(e == r % 4 || e == (r + 1) % 4 ? 5.0f : 0.0f);
      collapsed.push_back(e == 2 ? 40.0f : e == 1 ? 20.0f : 0.0f);
    }
  }
  RouterBalance balance(config, Options(1, 8, 1, 0));
  balance.Prepare(0, 1, 8, Routed(config, even).routing(), 1);
  const RouterStatistics evenly = balance.Take();
  EXPECT_NEAR(evenly.balance_loss(), 2, 1e-6);
  EXPECT_EQ(evenly.ShareOfAll().least, 0.25);
  EXPECT_EQ(evenly.ShareOfAll().most, 0.25);
  balance.Prepare(0, 1, 8, Routed(config, collapsed).routing(), 1);
  const RouterStatistics badly = balance.Take();
  EXPECT_NEAR(badly.balance_loss(), 4, 1e-6);
  EXPECT_EQ(badly.Share(0, 2), 0.5);
  EXPECT_EQ(badly.Share(0, 1), 0.5);
  EXPECT_EQ(badly.ShareOfAll().least, 0);
  EXPECT_EQ(balance.Take().balance_loss(), 0);  // taken
}

TEST(RouterBalance, EachSequenceIsJudgedByItselfHoweverThePassesAndThreadsAre) {
  const ModelConfig config = Config(8, 2, 0, 2);
  const int64_t length = 10;
  const std::vector<float> logits = RandomLogits(3 * 10 * 8, 5);
  const Routed whole(config, logits);
  RouterBalance once(config, Options(3, length, 0.5, 0.1, 3));
  once.Prepare(1, 3, length, whole.routing(), 0.1f);
  const std::vector<float> gradient = whole.Gradient(once);
  RouterBalance parts(config, Options(1, length, 0.5, 0.1, 1));
  RouterStatistics together(2, 8);
  for (size_t s = 0; s < 3; ++s) {
    const Routed own(
        config, {logits.begin() + static_cast<int64_t>(s * 80), logits.begin() + static_cast<int64_t>(s * 80 + 80)});
    parts.Prepare(1, 1, length, own.routing(), 0.1f);
    const std::vector<float> piece = own.Gradient(parts);
    EXPECT_TRUE(std::equal(piece.begin(), piece.end(), gradient.begin() + static_cast<int64_t>(s * 80)));
    RouterStatistics taken = parts.Take();  // as ranks add theirs
    for (size_t i = 0; i < taken.sums().size(); ++i) together.sums()[i] += taken.sums()[i];
  }
  const RouterStatistics statistics = once.Take();
  EXPECT_DOUBLE_EQ(statistics.balance_loss(), together.balance_loss());
  EXPECT_DOUBLE_EQ(statistics.z_loss(), together.z_loss());
  for (int64_t e = 0; e < 8; ++e) {
    EXPECT_EQ(statistics.Share(1, e), together.Share(1, e));
    EXPECT_EQ(statistics.Share(0, e), 0);  // nothing was counted there
  }
}

}  // namespace
}  // namespace rhodes
