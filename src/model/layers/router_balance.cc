#include "model/layers/router_balance.h"

#include <algorithm>
#include <utility>

#include "model/kernels/threads.h"

namespace rhodes {
namespace {

// Of the largest pass.
size_t Sequences(const ModelOptions& options) {
  return options.training ? static_cast<size_t>(options.max_sequences) : 0;
}
size_t LogSums(const ModelConfig& config, const ModelOptions& options) {
  if (options.router_z_loss == 0) return 0;
  return Sequences(options) * static_cast<size_t>(options.max_context > 0 ? options.max_context : config.max_positions);
}

}  // namespace

RouterBalance::RouterBalance(const ModelConfig& config, const ModelOptions& options)
    : shape_(RouterShapeOf(config)),
      layers_(config.layers),
      threads_(options.threads),
      aux_(options.router_aux_loss),
      z_(options.router_z_loss),
      d_probabilities_(Sequences(options) * static_cast<size_t>(config.experts)),
      d_log_sum_(LogSums(config, options)),
      choices_(d_probabilities_.size()),
      balance_(Sequences(options)),
      z_sums_(Sequences(options)),
      statistics_(config.layers, config.experts) {}

uint64_t RouterBalance::Bytes(const ModelConfig& config, const ModelOptions& options) {
  const size_t experts = static_cast<size_t>(config.experts);
  return Sequences(options) * (experts * (sizeof(float) + sizeof(int64_t)) + 2 * sizeof(double)) +
         LogSums(config, options) * sizeof(float);
}

void RouterBalance::PrepareSequence(int64_t sequence, int64_t length, const Routing& routing, float scale) {
  const size_t experts = static_cast<size_t>(shape_.experts);
  const size_t k = static_cast<size_t>(shape_.chosen);
  const size_t s = static_cast<size_t>(sequence);
  const size_t begin = s * static_cast<size_t>(length), end = begin + static_cast<size_t>(length);
  const auto choices = std::span(choices_).subspan(s * experts, experts);
  std::ranges::fill(choices, 0);
  for (const int32_t expert : routing.chosen.subspan(begin * k, (end - begin) * k)) {
    ++choices[static_cast<size_t>(expert)];
  }
  const double positions = static_cast<double>(length);
  const double layers = static_cast<double>(layers_);
  double balance = 0;
  for (size_t e = 0; e < experts; ++e) {
    double sum = 0;
    for (size_t r = begin; r < end; ++r) sum += routing.probabilities[r * experts + e];
    const double often = static_cast<double>(choices[e]) / positions;  // f_e
    balance += static_cast<double>(experts) * often * sum / positions;
    // Of scale · length · aux · balance / layers; the length of P's mean cancels out.
    d_probabilities_[s * experts + e] =
        static_cast<float>(scale * aux_ * static_cast<double>(experts) * often / layers);
  }
  balance_[s] = balance;
  z_sums_[s] = 0;
  if (z_ == 0) return;
  for (size_t r = begin; r < end; ++r) {
    const float log_sum = LogSum(shape_, routing.logits.subspan(r * experts, experts),
                                 routing.probabilities.subspan(r * experts, experts), routing.chosen[r * k]);
    z_sums_[s] += double{log_sum} * log_sum / positions;
    d_log_sum_[r] = static_cast<float>(scale * z_ * 2 * log_sum / layers);
  }
}

void RouterBalance::Prepare(int64_t layer, int64_t sequences, int64_t length, const Routing& routing, float scale) {
  length_ = length;
  ParallelRanges(threads_, sequences, 1, [&](int64_t begin, int64_t end) {
    for (int64_t s = begin; s < end; ++s) PrepareSequence(s, length, routing, scale);
  });
  const size_t experts = static_cast<size_t>(shape_.experts);
  for (size_t s = 0; s < static_cast<size_t>(sequences); ++s) {
    statistics_.Add(layer, std::span(choices_).subspan(s * experts, experts), balance_[s], z_sums_[s]);
  }
}

RouterLossGradient RouterBalance::GradientOf(int64_t row) const {
  const size_t experts = static_cast<size_t>(shape_.experts);
  return {d_probabilities_.span().subspan(static_cast<size_t>(row / length_) * experts, experts),
          z_ == 0 ? 0.0f : d_log_sum_[static_cast<size_t>(row)]};
}

RouterStatistics RouterBalance::Take() { return std::exchange(statistics_, RouterStatistics(layers_, shape_.experts)); }

}  // namespace rhodes
