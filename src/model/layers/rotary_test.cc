#include "model/layers/rotary.h"

#include <gtest/gtest.h>

#include <cmath>

namespace rhodes {
namespace {

ModelConfig Config(const RopeScaling& scaling) {
  ModelConfig config;
  config.head_dim = 8;
  config.rope_theta = 10000;
  config.rope_scaling = scaling;
  return config;
}

void ExpectFrequencies(const RopeScaling& scaling, const std::vector<double>& expected) {
  const std::vector<double> actual = RotaryFrequencies(Config(scaling));
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) EXPECT_NEAR(actual[i], expected[i], 1e-6 * expected[i]) << i;
}

// The numbers of transformers 5.24 (ROPE_INIT_FUNCTIONS, in f32) for head_dim 8, theta 10000.
TEST(Rotary, Frequencies_AreThoseOfTransformers) {
  ExpectFrequencies({}, {1, 0.1, 0.01, 0.001});
  ExpectFrequencies({RopeScaling::Kind::kLinear, 4.0}, {0.25, 0.025, 0.0025, 0.00025});
  ExpectFrequencies({RopeScaling::Kind::kDynamic, 4.0}, {1, 0.1, 0.01, 0.001});
  ExpectFrequencies({RopeScaling::Kind::kLlama3, 8.0, 64, 1.0, 4.0}, {1, 0.013042256236, 0.00125, 0.000125});
  ExpectFrequencies({RopeScaling::Kind::kYarn, 4.0, 2048}, {1, 0.1, 0.00625, 0.00025});
}

TEST(Rotary, Tables_HoldAnglesTimesTheAttentionFactor) {
  RopeScaling scaling{RopeScaling::Kind::kYarn, 4.0, 16};
  scaling.attention_factor = 1.5;
  const ModelConfig config = Config(scaling);
  const RotaryTables tables(config, 5);
  const std::vector<double> frequencies = RotaryFrequencies(config);
  for (size_t t = 0; t < 5; ++t) {
    for (size_t i = 0; i < 4; ++i) {
      EXPECT_NEAR(tables.cosine[t * 4 + i], 1.5 * std::cos(static_cast<double>(t) * frequencies[i]), 1e-6);
      EXPECT_NEAR(tables.sine[t * 4 + i], 1.5 * std::sin(static_cast<double>(t) * frequencies[i]), 1e-6);
    }
  }
}

}  // namespace
}  // namespace rhodes
