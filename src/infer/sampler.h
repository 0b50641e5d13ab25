// From logits to the next token.
#ifndef RHODES_INFER_SAMPLER_H_
#define RHODES_INFER_SAMPLER_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "base/status.h"
#include "token/tokenizer.h"

namespace rhodes {

// Applied in the order in which they stand.
struct SamplingOptions {
  float repetition_penalty = 1.0f;  // > 0; divides (or multiplies) the logits of tokens seen, prompt included
  float presence_penalty = 0.0f;    // [-2, 2]; taken from the logits of tokens generated before
  float frequency_penalty = 0.0f;   // [-2, 2]; the same, once for each time
  float temperature = 1.0f;         // [0, 100]; 0: always the likeliest token, the lower id of equals
  int64_t top_k = 0;                // only the k likeliest; 0: all
  float top_p = 1.0f;               // (0, 1]; only the fewest tokens whose probabilities sum to top_p
  float min_p = 0.0f;               // [0, 1]; only tokens at least min_p times as likely as the likeliest
  uint64_t seed = 0;                // the draws: a function of seed and step alone

  // INVALID_ARGUMENT naming the setting, its value and its range.
  absl::Status Validate() const;
};

// The state of one sequence. Not thread-safe.
class Sampler {
 public:
  explicit Sampler(const SamplingOptions& options) : options_(options) {}

  // Tells of tokens that stand in the prompt.
  void SeePrompt(std::span<const TokenId> tokens);
  // Draws from `logits` (V) and remembers the token. Same options, same calls: same tokens.
  TokenId Next(std::span<const float> logits);

 private:
  struct Candidate {
    TokenId token;
    float logit;
  };
  void Penalise();
  TokenId Greedy() const;
  void KeepTopK(size_t k);
  void KeepLikely();
  TokenId Draw();

  SamplingOptions options_;
  uint64_t step_ = 0;
  absl::flat_hash_set<TokenId> seen_;
  absl::flat_hash_map<TokenId, int> generated_;
  std::vector<float> logits_;
  std::vector<Candidate> candidates_;
  std::vector<double> weights_;
};

// A token with the natural logarithm of its probability.
struct TokenChance {
  TokenId token = 0;
  float logprob = 0;
};
// Of `chosen`, under softmax(logits) without temperature or penalties.
float LogProbability(std::span<const float> logits, TokenId chosen);
// The `count` likeliest tokens, best first (equals by id).
std::vector<TokenChance> LikeliestTokens(std::span<const float> logits, size_t count);

}  // namespace rhodes

#endif  // RHODES_INFER_SAMPLER_H_
