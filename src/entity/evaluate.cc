#include "entity/evaluate.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/hash.h"
#include "base/parallel.h"
#include "entity/link_model.h"

namespace rhodes {
namespace {

double Share(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

double Rounded(double value) { return std::round(value * 10'000) / 10'000; }

MatchCounts CountAt(const std::vector<double>& scores, const std::vector<bool>& labels, double threshold) {
  MatchCounts counts;
  counts.threshold = threshold;
  for (size_t i = 0; i < scores.size(); ++i) {
    const bool same = scores[i] >= threshold;
    counts.true_positive += same && labels[i] ? 1 : 0;
    counts.false_positive += same && !labels[i] ? 1 : 0;
    counts.false_negative += !same && labels[i] ? 1 : 0;
  }
  return counts;
}

void Count(const std::vector<double>& scores, const std::vector<bool>& labels, Evaluation& evaluation) {
  evaluation.pairs = labels.size();
  evaluation.matches = static_cast<uint64_t>(std::count(labels.begin(), labels.end(), true));
  for (int step = 1; step < 20; ++step) evaluation.curve.push_back(CountAt(scores, labels, step / 20.0));
  for (const double high : {0.99, 0.999}) evaluation.curve.push_back(CountAt(scores, labels, high));
}

void AddTo(MatchCounts& sum, const MatchCounts& counts, uint64_t folds) {
  sum.threshold += counts.threshold / static_cast<double>(folds);
  sum.true_positive += counts.true_positive;
  sum.false_positive += counts.false_positive;
  sum.false_negative += counts.false_negative;
}

double SecondsSince(std::chrono::steady_clock::time_point begun) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

Json ToJson(const Evaluation& evaluation) {
  Json curve = Json::array();
  for (const MatchCounts& counts : evaluation.curve) curve.push_back(rhodes::ToJson(counts));
  return {{"model", evaluation.model},     {"pairs", evaluation.pairs},
          {"matches", evaluation.matches}, {"at_threshold", rhodes::ToJson(evaluation.at_threshold)},
          {"curve", std::move(curve)},     {"seconds", evaluation.seconds}};
}

}  // namespace

double MatchCounts::precision() const { return Share(true_positive, true_positive + false_positive); }
double MatchCounts::recall() const { return Share(true_positive, true_positive + false_negative); }
double MatchCounts::f1() const { return Share(2 * true_positive, 2 * true_positive + false_positive + false_negative); }

Json ToJson(const MatchCounts& counts) {
  return {{"threshold", counts.threshold},          {"precision", Rounded(counts.precision())},
          {"recall", Rounded(counts.recall())},     {"f1", Rounded(counts.f1())},
          {"true_positive", counts.true_positive},  {"false_positive", counts.false_positive},
          {"false_negative", counts.false_negative}};
}

Json ToJson(const EvaluationReport& report) {
  Json attributes = Json::object();
  for (const MatchAttribute& attribute : report.attributes) attributes[attribute.name] = NameOf(attribute.comparison);
  return {{"attributes", std::move(attributes)},
          {"without_labels", ToJson(report.without_labels)},
          {"with_labels", ToJson(report.with_labels)}};
}

absl::StatusOr<EvaluationReport> Evaluate(const LabelledPairs& pairs, const EvaluateOptions& options,
                                          const RunContext& context) {
  EvaluationReport report;
  report.attributes = GuessComparisons(pairs);
  const auto begun = std::chrono::steady_clock::now();
  ASSIGN_OR_RETURN(const Comparer comparer, Comparer::Create(report.attributes, pairs.values, context));
  const size_t count = pairs.pairs.size();
  std::vector<Features> features(count);
  const absl::Status compared = ParallelFor(context.Threads(), count, [&](size_t i) {
    features[i] = comparer.Compare(pairs.pairs[i].a, pairs.pairs[i].b);
    return i % 1024 == 0 ? context.CheckCancelled() : absl::OkStatus();
  });
  RETURN_IF_ERROR(compared);
  std::vector<bool> labels;
  for (const LabelledPairs::Pair& pair : pairs.pairs) labels.push_back(pair.same);

  std::vector<double> scores(count);
  const std::unique_ptr<LinkModel> unsupervised = FitFellegiSunter(comparer, features);
  for (size_t i = 0; i < count; ++i) scores[i] = unsupervised->Probability(features[i]);
  report.without_labels.model = unsupervised->name();
  Count(scores, labels, report.without_labels);
  report.without_labels.at_threshold =
      CountAt(scores, labels, options.threshold > 0 ? options.threshold : unsupervised->threshold());
  report.without_labels.seconds = SecondsSince(begun);

  const auto supervised_begun = std::chrono::steady_clock::now();
  const auto folds = static_cast<uint64_t>(std::max(options.folds, 2));
  std::vector<uint64_t> fold_of(count);
  for (size_t i = 0; i < count; ++i) {
    std::string first;
    for (const std::string& value : pairs.values[pairs.pairs[i].a]) first += value + '\n';
    fold_of[i] = Fingerprint(first) % folds;
  }
  MatchCounts decided;
  for (uint64_t fold = 0; fold < folds; ++fold) {
    RETURN_IF_ERROR(context.CheckCancelled());
    std::vector<Features> known;
    std::vector<bool> known_labels;
    for (size_t i = 0; i < count; ++i) {
      if (fold_of[i] == fold) continue;
      known.push_back(features[i]);
      known_labels.push_back(labels[i]);
    }
    const std::unique_ptr<LinkModel> model = FitLogistic(known, known_labels, context);
    report.with_labels.model = model->name();
    std::vector<double> held_out;
    std::vector<bool> held_out_labels;
    for (size_t i = 0; i < count; ++i) {
      if (fold_of[i] != fold) continue;
      scores[i] = model->Probability(features[i]);
      held_out.push_back(scores[i]);
      held_out_labels.push_back(labels[i]);
    }
    AddTo(decided, CountAt(held_out, held_out_labels, options.threshold > 0 ? options.threshold : model->threshold()),
          folds);
  }
  Count(scores, labels, report.with_labels);
  report.with_labels.at_threshold = decided;
  report.with_labels.seconds = SecondsSince(supervised_begun);
  return report;
}

}  // namespace rhodes
