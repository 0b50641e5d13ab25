// How much each occurrence of a word counts when a tokenizer is trained: so that a small language or source is not
// starved by a large one.
#ifndef RHODES_TOKEN_TRAINING_WEIGHTS_H_
#define RHODES_TOKEN_TRAINING_WEIGHTS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/status.h"
#include "token/text_input.h"

namespace rhodes {

// Sources, or languages: each counts by its share of all bytes to the power of `exponent`, times its factor.
struct WeightRule {
  double exponent = 1;                    // 1: by size; 0: all alike; 0.3: as in mT5 and XLM-R
  std::map<std::string, double> factors;  // by name; those not named: 1
};

struct TrainingWeights {
  WeightRule source;
  WeightRule language;
  // Whether plain counts are used.
  bool none() const;
};

// Adds one setting to `weights`. `text`: (source|language) then
//   =proportional          by size (exponent 1)
//   =equal                 all alike (exponent 0)
//   =alpha:A               the share to the power of A, 0 to 1
//   =temperature:T         the share to the power of 1/T, T from 1
//   :NAME=W                an occurrence in NAME counts W times, W above 0
// UsageError saying what is allowed.
absl::Status AddWeight(const std::string& text, TrainingWeights& weights);
Json ToJson(const TrainingWeights& weights);

// What an occurrence in each group counts: the product of its source's and its language's weight. Of a rule with
// exponent a, something with the share s of all bytes has the weight s^(a-1) times its factor. None counts more than
// 100,000 times as much as another. UsageError for a factor whose name no group has, naming those that there are.
absl::StatusOr<std::vector<double>> GroupWeights(const TrainingWeights& weights, const std::vector<TextGroup>& groups,
                                                 const std::vector<uint64_t>& text_bytes);

}  // namespace rhodes

#endif  // RHODES_TOKEN_TRAINING_WEIGHTS_H_
