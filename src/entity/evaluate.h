// Labelled pairs as a measure: precision, recall and F1 of the model that knows no label, and of the one fitted with
// labels it is not measured on.
#ifndef RHODES_ENTITY_EVALUATE_H_
#define RHODES_ENTITY_EVALUATE_H_

#include <string>
#include <vector>

#include "entity/labelled_pairs.h"

namespace rhodes {

struct MatchCounts {
  double threshold = 0;
  uint64_t true_positive = 0;
  uint64_t false_positive = 0;
  uint64_t false_negative = 0;
  double precision() const;
  double recall() const;
  double f1() const;
};
Json ToJson(const MatchCounts& counts);

struct EvaluateOptions {
  double threshold = 0;  // of the probability; 0: each model's own
  int folds = 5;         // of the cross-validation
};

struct Evaluation {
  std::string model;
  uint64_t pairs = 0;
  uint64_t matches = 0;
  MatchCounts at_threshold;        // with labels, of each fold by the threshold of its own model; the mean is stated
  std::vector<MatchCounts> curve;  // thresholds 0.05, 0.1, ..., 0.95, 0.99, 0.999
  double seconds = 0;
};
struct EvaluationReport {
  std::vector<MatchAttribute> attributes;
  Evaluation without_labels;  // Fellegi-Sunter; fitted and measured on the same pairs, of which it sees no label
  Evaluation with_labels;     // logistic regression; every pair is scored by a model that was fitted without its fold
};
Json ToJson(const EvaluationReport& report);

// Folds are made of whole mentions where they can: a pair belongs to the fold that the hash of its first mention says,
// so that no mention's other pairs tell of it.
absl::StatusOr<EvaluationReport> Evaluate(const LabelledPairs& pairs, const EvaluateOptions& options,
                                          const RunContext& context);

}  // namespace rhodes

#endif  // RHODES_ENTITY_EVALUATE_H_
