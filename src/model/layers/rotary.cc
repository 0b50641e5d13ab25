#include "model/layers/rotary.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace rhodes {
namespace {

constexpr double kTurn = 2 * std::numbers::pi;

// Llama 3.1: waves longer than the old context are stretched by the factor, short ones stay, those between are mixed.
double Llama3(double frequency, const RopeScaling& s) {
  const double old_context = static_cast<double>(s.original_positions);
  const double wave = kTurn / frequency;
  if (wave < old_context / s.high_frequency_factor) return frequency;
  if (wave > old_context / s.low_frequency_factor) return frequency / s.factor;
  const double smooth =
      (old_context / wave - s.low_frequency_factor) / (s.high_frequency_factor - s.low_frequency_factor);
  return (1 - smooth) * frequency / s.factor + smooth * frequency;
}

// YaRN (Peng et al. 2023): dimensions that turn often in the old context stay, those that turn seldom are stretched.
class Yarn {
 public:
  Yarn(const ModelConfig& config) : factor_(config.rope_scaling.factor) {
    const RopeScaling& s = config.rope_scaling;
    const double dim = static_cast<double>(config.head_dim);
    const auto dimension_of = [&](double turns) {
      return dim * std::log(static_cast<double>(s.original_positions) / (turns * kTurn)) /
             (2 * std::log(config.rope_theta));
    };
    low_ = dimension_of(s.beta_fast);
    high_ = dimension_of(s.beta_slow);
    if (s.truncate) {
      low_ = std::floor(low_);
      high_ = std::ceil(high_);
    }
    low_ = std::max(low_, 0.0);
    high_ = std::min(high_, dim - 1);
    if (low_ == high_) high_ += 0.001;  // as transformers does
  }
  double Scale(double frequency, int64_t dimension) const {
    const double stretched = std::clamp((static_cast<double>(dimension) - low_) / (high_ - low_), 0.0, 1.0);
    return frequency / factor_ * stretched + frequency * (1 - stretched);
  }

 private:
  double factor_, low_, high_;
};

}  // namespace

std::vector<double> RotaryFrequencies(const ModelConfig& config) {
  std::vector<double> frequencies(static_cast<size_t>(config.head_dim / 2));
  const RopeScaling& scaling = config.rope_scaling;
  for (int64_t i = 0; i < config.head_dim / 2; ++i) {
    double f = std::pow(config.rope_theta, -2.0 * static_cast<double>(i) / static_cast<double>(config.head_dim));
    switch (scaling.kind) {
      case RopeScaling::Kind::kNone:
      case RopeScaling::Kind::kDynamic:
        break;
      case RopeScaling::Kind::kLinear:
        f /= scaling.factor;
        break;
      case RopeScaling::Kind::kLlama3:
        f = Llama3(f, scaling);
        break;
      case RopeScaling::Kind::kYarn:
        f = Yarn(config).Scale(f, i);
        break;
    }
    frequencies[static_cast<size_t>(i)] = f;
  }
  return frequencies;
}

RotaryTables::RotaryTables(const ModelConfig& config, int64_t positions)
    : cosine(static_cast<size_t>(positions * config.head_dim / 2)), sine(cosine.size()) {
  const std::vector<double> frequencies = RotaryFrequencies(config);
  const double size = config.rope_scaling.kind == RopeScaling::Kind::kYarn ? config.rope_scaling.attention_factor : 1.0;
  const size_t half = frequencies.size();
  for (size_t t = 0; t < static_cast<size_t>(positions); ++t) {
    for (size_t i = 0; i < half; ++i) {
      const double angle = static_cast<double>(t) * frequencies[i];
      cosine[t * half + i] = static_cast<float>(size * std::cos(angle));
      sine[t * half + i] = static_cast<float>(size * std::sin(angle));
    }
  }
}

}  // namespace rhodes
