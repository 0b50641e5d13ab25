// What the tests against PyTorch's numbers share with the scripts that made them (bench/peers/pytorch_*.py).
#ifndef RHODES_MODEL_TESTING_GOLDENS_H_
#define RHODES_MODEL_TESTING_GOLDENS_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "model/model.h"

namespace rhodes {

// The script's formula for weights.
inline float GoldenWeight(int64_t tensor, int64_t index, bool norm) {
  const double scale = norm ? 1.0 : 0.3;
  const double value = scale * std::sin(1.0 + 0.7 * static_cast<double>(tensor) + 0.37 * static_cast<double>(index) +
                                        0.011 * static_cast<double>((index * 7919 + tensor * 104729) % 1009));
  return static_cast<float>(norm ? 1.0 + 0.1 * value : value);
}

// The script's four numbers of a tensor.
inline std::array<double, 4> SizesOf(std::span<const float> values) {
  std::array<double, 4> sizes{};
  for (size_t i = 0; i < values.size(); ++i) {
    const double x = values[i];
    const double k = static_cast<double>(i);
    sizes[0] += x * x;
    sizes[1] += x;
    sizes[2] += x * std::cos(0.1 * k);
    sizes[3] += x * std::sin(0.3 * k + 1);
  }
  sizes[0] = std::sqrt(sizes[0]);
  return sizes;
}

// Relative to the norm of the tensor: its sums may cancel to nothing.
inline void ExpectSizes(const Json& expected, std::span<const float> actual, double tolerance,
                        const std::string& what) {
  const std::array<double, 4> sizes = SizesOf(actual);
  const double scale = expected[0].get<double>() * std::sqrt(static_cast<double>(actual.size()));
  EXPECT_NEAR(sizes[0], expected[0].get<double>(), tolerance * expected[0].get<double>()) << what << ": norm";
  for (size_t i = 1; i < 4; ++i) {
    EXPECT_NEAR(sizes[i], expected[i].get<double>(), tolerance * scale) << what << ": number " << i;
  }
}

// One AdamW step of the scripts' settings, with the gradients clipped to `clip`.
inline void Step(Model& model, std::vector<float>& m, std::vector<float>& v, int step, double norm, double clip,
                 float rate) {
  AdamW adamw{rate, 0.9f, 0.95f, 1e-8f, 0.1f, 1.0f, 0, 0};
  adamw.gradient_factor = clip > 0 ? static_cast<float>(std::min(1.0, clip / (norm + 1e-6))) : 1.0f;
  adamw.correction1 = static_cast<float>(1 - std::pow(0.9, step));
  adamw.correction2 = static_cast<float>(1 - std::pow(0.95, step));
  model.StepAdamW(adamw, m, v);
}

}  // namespace rhodes

#endif  // RHODES_MODEL_TESTING_GOLDENS_H_
