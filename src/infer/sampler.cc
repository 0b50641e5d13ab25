#include "infer/sampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace rhodes {
namespace {

// Uniform in [0, 1), a function of seed and step alone (SplitMix64).
double Uniform(uint64_t seed, uint64_t step) {
  uint64_t z = seed * 0x9E3779B97F4A7C15u + (step + 1) * 0xD1B54A32D192ED03u;
  for (int i = 0; i < 2; ++i) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    z ^= z >> 31;
  }
  return static_cast<double>(z >> 11) * 0x1p-53;
}

absl::Status CheckRange(const char* name, double value, double least, double most) {
  if (std::isfinite(value) && value >= least && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format("{} is {}, not between {} and {}", name, value, least, most));
}

constexpr auto kLikelier = [](const auto& a, const auto& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
};

double LogSumExp(std::span<const float> logits) {
  const double top = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += static_cast<double>(std::exp(logit - static_cast<float>(top)));
  return top + std::log(sum);
}

}  // namespace

absl::Status SamplingOptions::Validate() const {
  RETURN_IF_ERROR(CheckRange("repetition_penalty", repetition_penalty, 0.01, 100));
  RETURN_IF_ERROR(CheckRange("presence_penalty", presence_penalty, -2, 2));
  RETURN_IF_ERROR(CheckRange("frequency_penalty", frequency_penalty, -2, 2));
  RETURN_IF_ERROR(CheckRange("temperature", temperature, 0, 100));
  RETURN_IF_ERROR(CheckRange("top_k", static_cast<double>(top_k), 0, 1 << 30));
  RETURN_IF_ERROR(CheckRange("top_p", top_p, 0, 1));
  if (top_p == 0.0f) return absl::InvalidArgumentError("top_p is 0, which leaves no token");
  return CheckRange("min_p", min_p, 0, 1);
}

void Sampler::SeePrompt(std::span<const TokenId> tokens) {
  if (options_.repetition_penalty != 1.0f) seen_.insert(tokens.begin(), tokens.end());
}

void Sampler::Penalise() {
  for (const TokenId token : seen_) {
    if (token >= logits_.size()) continue;
    float& logit = logits_[token];
    logit = logit > 0 ? logit / options_.repetition_penalty : logit * options_.repetition_penalty;
  }
  if (options_.presence_penalty == 0.0f && options_.frequency_penalty == 0.0f) return;
  for (const auto& [token, times] : generated_) {
    logits_[token] -= options_.presence_penalty + options_.frequency_penalty * static_cast<float>(times);
  }
}

TokenId Sampler::Greedy() const {
  return static_cast<TokenId>(std::max_element(logits_.begin(), logits_.end()) - logits_.begin());
}

void Sampler::KeepTopK(size_t k) {
  if (k == 0 || k >= candidates_.size()) return;
  std::nth_element(candidates_.begin(), candidates_.begin() + static_cast<int64_t>(k) - 1, candidates_.end(),
                   kLikelier);
  candidates_.resize(k);
}

// top_p and min_p over what is left. Sorting the whole vocabulary would cost more than the model's step: tokens that
// cannot be among the fewest of sum top_p (all of probability below (1 - top_p) / V sum to less than 1 - top_p) go
// first.
void Sampler::KeepLikely() {
  if (options_.top_p >= 1.0f && options_.min_p <= 0.0f) return;
  const float top = std::max_element(candidates_.begin(), candidates_.end(), [](const auto& a, const auto& b) {
                      return a.logit < b.logit;
                    })->logit;
  double sum = 0;
  for (const Candidate& candidate : candidates_) sum += static_cast<double>(std::exp(candidate.logit - top));
  const double least = std::max(static_cast<double>(options_.min_p), (1.0 - static_cast<double>(options_.top_p)) * sum /
                                                                         static_cast<double>(candidates_.size() + 1));
  std::erase_if(candidates_, [&](const Candidate& candidate) {
    return static_cast<double>(std::exp(candidate.logit - top)) < least;
  });
  if (options_.top_p >= 1.0f) return;
  std::sort(candidates_.begin(), candidates_.end(), kLikelier);
  double so_far = 0;
  for (size_t i = 0; i < candidates_.size(); ++i) {
    so_far += static_cast<double>(std::exp(candidates_[i].logit - top));
    if (so_far >= static_cast<double>(options_.top_p) * sum) {
      candidates_.resize(i + 1);
      return;
    }
  }
}

TokenId Sampler::Draw() {
  float top = candidates_.front().logit;
  for (const Candidate& candidate : candidates_) top = std::max(top, candidate.logit);
  weights_.clear();
  double sum = 0;
  for (const Candidate& candidate : candidates_) {
    sum += static_cast<double>(std::exp(candidate.logit - top));
    weights_.push_back(sum);
  }
  const double mark = Uniform(options_.seed, step_) * sum;
  const size_t place = static_cast<size_t>(std::upper_bound(weights_.begin(), weights_.end(), mark) - weights_.begin());
  return candidates_[std::min(place, candidates_.size() - 1)].token;
}

TokenId Sampler::Next(std::span<const float> logits) {
  logits_.assign(logits.begin(), logits.end());
  Penalise();
  TokenId token;
  if (options_.temperature == 0.0f) {
    token = Greedy();
  } else {
    candidates_.resize(logits_.size());
    for (size_t i = 0; i < logits_.size(); ++i) {
      candidates_[i] = {static_cast<TokenId>(i), logits_[i] / options_.temperature};
    }
    KeepTopK(static_cast<size_t>(options_.top_k));
    KeepLikely();
    token = Draw();
  }
  ++step_;
  if (options_.repetition_penalty != 1.0f) seen_.insert(token);
  ++generated_[token];
  return token;
}

float LogProbability(std::span<const float> logits, TokenId chosen) {
  return static_cast<float>(static_cast<double>(logits[chosen]) - LogSumExp(logits));
}

std::vector<TokenChance> LikeliestTokens(std::span<const float> logits, size_t count) {
  count = std::min(count, logits.size());
  std::vector<TokenId> ids(logits.size());
  std::iota(ids.begin(), ids.end(), 0u);
  std::partial_sort(ids.begin(), ids.begin() + static_cast<int64_t>(count), ids.end(),
                    [&](TokenId a, TokenId b) { return logits[a] != logits[b] ? logits[a] > logits[b] : a < b; });
  const double total = LogSumExp(logits);
  std::vector<TokenChance> likeliest;
  for (size_t i = 0; i < count; ++i) {
    likeliest.push_back({ids[i], static_cast<float>(static_cast<double>(logits[ids[i]]) - total)});
  }
  return likeliest;
}

}  // namespace rhodes
