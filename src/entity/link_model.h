// How probable it is that a pair is one entity: a Fellegi-Sunter model fitted without labels, a logistic regression
// fitted with them, or weights that the user gives.
#ifndef RHODES_ENTITY_LINK_MODEL_H_
#define RHODES_ENTITY_LINK_MODEL_H_

#include <memory>
#include <vector>

#include "entity/compare.h"

namespace rhodes {

class LinkModel {
 public:
  virtual ~LinkModel() = default;
  // From 0 to 1. Thread-safe.
  virtual double Probability(const Features& features) const = 0;
  // Where to cut when the user does not say: 0.95 for Fellegi-Sunter, whose similarities are not as independent as it
  // takes them to be; 0.85 for given weights; for labels, where F1 is best on them.
  virtual double threshold() const = 0;
  virtual std::string_view name() const = 0;  // "fellegi-sunter", "logistic", "weights"
  virtual Json ToJson(const Comparer& comparer) const = 0;
};

// Fellegi and Sunter 1969: each similarity falls into one of seven levels, and the levels are independent given whether
// the pair is one entity. The probabilities of the levels and the share of matches are fitted by expectation
// maximisation (Winkler 1988) over `pairs`, which are candidates and so hold far more matches than pairs by chance.
// A prior decides where there are few pairs. Levels are kept in order: a
// higher one is never weaker evidence. Deterministic.
std::unique_ptr<LinkModel> FitFellegiSunter(const Comparer& comparer, const std::vector<Features>& pairs);

// Logistic regression over the similarities, their squares, their products with one another and flags for missing ones,
// standardised, with L2 regularisation; Newton's steps by conjugate gradients. `labels` has true for matches.
std::unique_ptr<LinkModel> FitLogistic(const std::vector<Features>& pairs, const std::vector<bool>& labels,
                                       const RunContext& context);

// The threshold at which F1 is best, half-way between the scores on both sides of it; 0.5 when there is no match.
double BestThreshold(const std::vector<double>& scores, const std::vector<bool>& labels);

// The weighted mean of the leading similarities that are not missing, by the weights of the attributes.
std::unique_ptr<LinkModel> GivenWeights(const Comparer& comparer);

}  // namespace rhodes

#endif  // RHODES_ENTITY_LINK_MODEL_H_
