#include "entity/link_model.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "base/parallel.h"

namespace rhodes {
namespace {

constexpr size_t kLevels = 7;
constexpr int kRounds = 200;
constexpr double kConverged = 1e-7;

// 0: unlike ... 6: equal; kLevels: missing.
size_t LevelOf(float similarity) {
  if (std::isnan(similarity)) return kLevels;
  constexpr std::array<float, kLevels - 1> kBounds = {0.2F, 0.4F, 0.6F, 0.8F, 0.95F, 0.9999F};
  return static_cast<size_t>(
      std::distance(kBounds.begin(), std::upper_bound(kBounds.begin(), kBounds.end(), similarity)));
}

double Sigmoid(double x) { return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x)); }

using Levels = std::array<double, kLevels>;

// What is believed before any pair is seen. It is worth 200 pairs where there are few, which no fit could tell apart,
// and 20 from 1,800 pairs on: more would hold the fit back (F1 of Abt-Buy at the threshold falls from 0.80 to 0.50).
double PriorPairs(size_t pairs) { return std::max(20.0, 200.0 * 200.0 / (200.0 + static_cast<double>(pairs))); }
constexpr double kPriorShare = 0.1;
constexpr Levels kPriorMatch = {0.01, 0.02, 0.04, 0.08, 0.2, 0.25, 0.4};
constexpr Levels kPriorOther = {0.5, 0.25, 0.15, 0.06, 0.03, 0.009, 0.001};

class FellegiSunter final : public LinkModel {
 public:
  FellegiSunter(std::vector<size_t> used, double prior, std::vector<Levels> weights)
      : used_(std::move(used)), prior_(prior), weights_(std::move(weights)) {}

  double Probability(const Features& features) const override {
    double odds = prior_;
    for (size_t k = 0; k < used_.size(); ++k) {
      const size_t level = LevelOf(features[used_[k]]);
      if (level < kLevels) odds += weights_[k][level];
    }
    return Sigmoid(odds);
  }
  double threshold() const override { return 0.95; }
  std::string_view name() const override { return "fellegi-sunter"; }
  Json ToJson(const Comparer& comparer) const override {
    Json weights = Json::object();
    for (size_t k = 0; k < used_.size(); ++k) weights[comparer.feature_names()[used_[k]]] = weights_[k];
    return {{"model", name()}, {"threshold", threshold()}, {"prior_log_odds", prior_}, {"weights", std::move(weights)}};
  }

 private:
  const std::vector<size_t> used_;
  const double prior_;
  const std::vector<Levels> weights_;  // ln(m / u) of each level
};

// The nearest sequence that does not fall, by pooling neighbours that do (Barlow et al. 1972).
void MakeRising(Levels& values, const Levels& mass) {
  std::vector<std::array<double, 3>> blocks;  // mean, mass, count
  for (size_t i = 0; i < kLevels; ++i) {
    blocks.push_back({values[i], mass[i], 1});
    while (blocks.size() > 1 && blocks[blocks.size() - 2][0] > blocks.back()[0]) {
      const std::array<double, 3> last = blocks.back();
      blocks.pop_back();
      std::array<double, 3>& into = blocks.back();
      into[0] = (into[0] * into[1] + last[0] * last[1]) / (into[1] + last[1]);
      into[1] += last[1];
      into[2] += last[2];
    }
  }
  size_t at = 0;
  for (const std::array<double, 3>& block : blocks) {
    for (size_t i = 0; i < static_cast<size_t>(block[2]); ++i) values[at++] = block[0];
  }
}

// Pairs with the same levels are one pattern: there are few, however many pairs there are.
struct Pattern {
  std::string levels;  // a char for each similarity
  double pairs = 0;
};

size_t LevelAt(const Pattern& pattern, size_t k) { return static_cast<size_t>(pattern.levels[k]); }

std::vector<Pattern> PatternsOf(const std::vector<size_t>& used, const std::vector<Features>& pairs) {
  std::vector<std::string> all;
  all.reserve(pairs.size());
  for (const Features& features : pairs) {
    std::string& levels = all.emplace_back();
    for (const size_t k : used) levels.push_back(static_cast<char>(LevelOf(features[k])));
  }
  std::sort(all.begin(), all.end());
  std::vector<Pattern> patterns;
  for (std::string& levels : all) {
    if (patterns.empty() || patterns.back().levels != levels) patterns.push_back({std::move(levels), 0});
    ++patterns.back().pairs;
  }
  return patterns;
}

// Squares, products and flags: what lets a line bend.
std::vector<double> Expand(const Features& features) {
  std::vector<double> expanded;
  std::vector<double> plain;
  for (const float value : features) plain.push_back(std::isnan(value) ? 0 : double{value});
  expanded = plain;
  for (const float value : features) expanded.push_back(std::isnan(value) ? 1 : 0);
  for (size_t i = 0; i < plain.size(); ++i) {
    for (size_t j = i; j < plain.size(); ++j) expanded.push_back(plain[i] * plain[j]);
  }
  return expanded;
}

class Logistic final : public LinkModel {
 public:
  Logistic(std::vector<double> weights, std::vector<double> mean, std::vector<double> scale)
      : weights_(std::move(weights)), mean_(std::move(mean)), scale_(std::move(scale)) {}

  double Probability(const Features& features) const override {
    const std::vector<double> x = Expand(features);
    double odds = weights_.back();
    for (size_t i = 0; i < x.size(); ++i) odds += weights_[i] * (x[i] - mean_[i]) * scale_[i];
    return Sigmoid(odds);
  }
  double threshold() const override { return threshold_; }
  void set_threshold(double threshold) { threshold_ = threshold; }
  std::string_view name() const override { return "logistic"; }
  Json ToJson(const Comparer&) const override {
    return {{"model", name()}, {"threshold", threshold()}, {"weights", weights_}, {"mean", mean_}, {"scale", scale_}};
  }

 private:
  const std::vector<double> weights_;  // and the intercept
  const std::vector<double> mean_;
  const std::vector<double> scale_;
  double threshold_ = 0.5;
};

class LogisticFitter {
 public:
  LogisticFitter(const std::vector<Features>& pairs, const std::vector<bool>& labels, const RunContext& context)
      : threads_(context.Threads()), labels_(labels) {
    rows_.resize(pairs.size());
    for (size_t i = 0; i < pairs.size(); ++i) rows_[i] = Expand(pairs[i]);
    width_ = rows_.empty() ? 0 : rows_[0].size();
    Standardise();
  }

  std::unique_ptr<Logistic> Fit() {
    std::vector<double> weights(width_ + 1);
    double loss = Loss(weights);
    for (int round = 0; round < 30; ++round) {
      const std::vector<double> gradient = Gradient(weights);
      const std::vector<double> step = Solve(gradient);
      double length = 1;
      std::vector<double> next(weights.size());
      double next_loss = loss;
      for (int halving = 0; halving < 20; ++halving, length /= 2) {
        for (size_t i = 0; i < weights.size(); ++i) next[i] = weights[i] - length * step[i];
        next_loss = Loss(next);
        if (next_loss < loss) break;
      }
      if (!(next_loss < loss)) break;
      const bool done = loss - next_loss < 1e-8 * loss;
      weights = next;
      loss = next_loss;
      if (done) break;
    }
    return std::make_unique<Logistic>(std::move(weights), mean_, scale_);
  }

 private:
  static constexpr double kPenalty = 3;
  static constexpr size_t kBlocks = 16;  // sums are added in the order of the blocks, whatever the threads

  void Standardise() {
    mean_.assign(width_, 0);
    scale_.assign(width_, 0);
    const auto count = static_cast<double>(std::max<size_t>(rows_.size(), 1));
    for (const std::vector<double>& row : rows_) {
      for (size_t i = 0; i < width_; ++i) mean_[i] += row[i] / count;
    }
    for (const std::vector<double>& row : rows_) {
      for (size_t i = 0; i < width_; ++i) scale_[i] += (row[i] - mean_[i]) * (row[i] - mean_[i]) / count;
    }
    for (double& scale : scale_) scale = scale > 1e-12 ? 1 / std::sqrt(scale) : 0;
    for (std::vector<double>& row : rows_) {
      for (size_t i = 0; i < width_; ++i) row[i] = (row[i] - mean_[i]) * scale_[i];
    }
  }

  double Dot(const std::vector<double>& row, const std::vector<double>& weights) const {
    double sum = weights[width_];
    for (size_t i = 0; i < width_; ++i) sum += row[i] * weights[i];
    return sum;
  }

  // Adds up `add`(row, sum) over all rows.
  template <typename Add>
  std::vector<double> Sum(size_t width, const Add& add) const {
    std::vector<std::vector<double>> sums(kBlocks, std::vector<double>(width));
    ParallelFor(threads_, kBlocks, [&](size_t block) {
      const size_t end = rows_.size() * (block + 1) / kBlocks;
      for (size_t r = rows_.size() * block / kBlocks; r < end; ++r) add(r, sums[block]);
      return absl::OkStatus();
    }).IgnoreError();  // the body cannot fail
    for (size_t block = 1; block < kBlocks; ++block) {
      for (size_t i = 0; i < width; ++i) sums[0][i] += sums[block][i];
    }
    return std::move(sums[0]);
  }

  double Loss(const std::vector<double>& weights) const {
    const std::vector<double> sum = Sum(1, [&](size_t r, std::vector<double>& into) {
      const double odds = labels_[r] ? Dot(rows_[r], weights) : -Dot(rows_[r], weights);
      into[0] += odds > 0 ? std::log1p(std::exp(-odds)) : -odds + std::log1p(std::exp(odds));
    });
    double loss = sum[0];
    for (size_t i = 0; i < width_; ++i) loss += kPenalty / 2 * weights[i] * weights[i];
    return loss;
  }

  // Also keeps each row's curvature for Solve().
  std::vector<double> Gradient(const std::vector<double>& weights) {
    curvature_.assign(rows_.size(), 0);
    std::vector<double> gradient = Sum(width_ + 1, [&](size_t r, std::vector<double>& into) {
      const double p = Sigmoid(Dot(rows_[r], weights));
      curvature_[r] = std::max(p * (1 - p), 1e-9);
      const double error = p - (labels_[r] ? 1 : 0);
      for (size_t i = 0; i < width_; ++i) into[i] += error * rows_[r][i];
      into[width_] += error;
    });
    for (size_t i = 0; i < width_; ++i) gradient[i] += kPenalty * weights[i];
    return gradient;
  }

  std::vector<double> Hessian(const std::vector<double>& direction) const {
    std::vector<double> product = Sum(width_ + 1, [&](size_t r, std::vector<double>& into) {
      const double factor = curvature_[r] * Dot(rows_[r], direction);
      for (size_t i = 0; i < width_; ++i) into[i] += factor * rows_[r][i];
      into[width_] += factor;
    });
    for (size_t i = 0; i < width_; ++i) product[i] += kPenalty * direction[i];
    return product;
  }

  // H x = gradient by conjugate gradients (Hestenes and Stiefel 1952).
  std::vector<double> Solve(const std::vector<double>& gradient) const {
    std::vector<double> x(gradient.size());
    std::vector<double> rest = gradient;
    std::vector<double> direction = rest;
    double square = std::inner_product(rest.begin(), rest.end(), rest.begin(), 0.0);
    const double goal = square * 1e-8;
    for (int round = 0; round < 60 && square > goal; ++round) {
      const std::vector<double> product = Hessian(direction);
      const double along = std::inner_product(direction.begin(), direction.end(), product.begin(), 0.0);
      if (along <= 0) break;
      const double length = square / along;
      for (size_t i = 0; i < x.size(); ++i) {
        x[i] += length * direction[i];
        rest[i] -= length * product[i];
      }
      const double next = std::inner_product(rest.begin(), rest.end(), rest.begin(), 0.0);
      for (size_t i = 0; i < x.size(); ++i) direction[i] = rest[i] + next / square * direction[i];
      square = next;
    }
    return x;
  }

  const int threads_;
  const std::vector<bool>& labels_;
  std::vector<std::vector<double>> rows_;
  std::vector<double> mean_;
  std::vector<double> scale_;
  std::vector<double> curvature_;
  size_t width_ = 0;
};

class Weighted final : public LinkModel {
 public:
  Weighted(std::vector<size_t> features, std::vector<double> weights)
      : features_(std::move(features)), weights_(std::move(weights)) {}

  double Probability(const Features& features) const override {
    double sum = 0;
    double weight = 0;
    for (size_t k = 0; k < features_.size(); ++k) {
      const float value = features[features_[k]];
      if (std::isnan(value)) continue;
      sum += weights_[k] * double{value};
      weight += weights_[k];
    }
    return weight > 0 ? sum / weight : 0;
  }
  double threshold() const override { return 0.85; }
  std::string_view name() const override { return "weights"; }
  Json ToJson(const Comparer& comparer) const override {
    Json weights = Json::object();
    for (size_t k = 0; k < features_.size(); ++k) weights[comparer.feature_names()[features_[k]]] = weights_[k];
    return {{"model", name()}, {"weights", std::move(weights)}};
  }

 private:
  const std::vector<size_t> features_;
  const std::vector<double> weights_;
};

}  // namespace

std::unique_ptr<LinkModel> FitFellegiSunter(const Comparer& comparer, const std::vector<Features>& pairs) {
  const std::vector<size_t>& used = comparer.independent();
  const std::vector<Pattern> patterns = PatternsOf(used, pairs);
  const double prior_pairs = PriorPairs(pairs.size());
  double share = kPriorShare;
  // The start: matches are mostly in the high levels, the others as all pairs are.
  std::vector<Levels> m(used.size(), kPriorMatch);
  std::vector<Levels> u(used.size());
  for (size_t k = 0; k < used.size(); ++k) {
    for (size_t i = 0; i < kLevels; ++i) u[k][i] = prior_pairs * kPriorOther[i];
    for (const Pattern& pattern : patterns) {
      if (LevelAt(pattern, k) < kLevels) u[k][LevelAt(pattern, k)] += pattern.pairs;
    }
    const double sum = std::accumulate(u[k].begin(), u[k].end(), 0.0);
    for (double& level : u[k]) level /= sum;
  }
  std::vector<Levels> weights(used.size());
  const auto set_weights = [&] {
    for (size_t k = 0; k < used.size(); ++k) {
      Levels mass{};
      for (size_t i = 0; i < kLevels; ++i) {
        weights[k][i] = std::log(m[k][i] / u[k][i]);
        mass[i] = m[k][i] + u[k][i];
      }
      MakeRising(weights[k], mass);
    }
  };
  set_weights();
  for (int round = 0; round < kRounds; ++round) {
    double matches = 0;
    double total = 0;
    for (size_t k = 0; k < used.size(); ++k) {
      for (size_t i = 0; i < kLevels; ++i) {
        m[k][i] = prior_pairs * kPriorMatch[i];
        u[k][i] = prior_pairs * kPriorOther[i];
      }
    }
    for (const Pattern& pattern : patterns) {
      double odds = std::log(share / (1 - share));
      for (size_t k = 0; k < used.size(); ++k) {
        if (LevelAt(pattern, k) < kLevels) odds += weights[k][LevelAt(pattern, k)];
      }
      const double p = Sigmoid(odds);
      matches += p * pattern.pairs;
      total += pattern.pairs;
      for (size_t k = 0; k < used.size(); ++k) {
        if (LevelAt(pattern, k) == kLevels) continue;
        m[k][LevelAt(pattern, k)] += p * pattern.pairs;
        u[k][LevelAt(pattern, k)] += (1 - p) * pattern.pairs;
      }
    }
    for (size_t k = 0; k < used.size(); ++k) {
      for (Levels* levels : {&m[k], &u[k]}) {
        const double sum = std::accumulate(levels->begin(), levels->end(), 0.0);
        for (double& level : *levels) level /= sum;
      }
    }
    const double next = (matches + kPriorShare * prior_pairs) / (total + prior_pairs);
    const double change = std::abs(next - share);
    share = next;
    set_weights();
    if (change < kConverged) break;
  }
  return std::make_unique<FellegiSunter>(used, std::log(share / (1 - share)), std::move(weights));
}

std::unique_ptr<LinkModel> FitLogistic(const std::vector<Features>& pairs, const std::vector<bool>& labels,
                                       const RunContext& context) {
  std::unique_ptr<Logistic> model = LogisticFitter(pairs, labels, context).Fit();
  std::vector<double> scores;
  for (const Features& features : pairs) scores.push_back(model->Probability(features));
  model->set_threshold(BestThreshold(scores, labels));
  return model;
}

double BestThreshold(const std::vector<double>& scores, const std::vector<bool>& labels) {
  std::vector<std::pair<double, bool>> ranked;
  for (size_t i = 0; i < scores.size(); ++i) ranked.emplace_back(scores[i], labels[i]);
  std::sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  const auto matches = static_cast<double>(std::count(labels.begin(), labels.end(), true));
  double best = 0;
  double threshold = 0.5;
  double found = 0;
  for (size_t i = 0; i < ranked.size(); ++i) {
    found += ranked[i].second ? 1 : 0;
    if (i + 1 < ranked.size() && ranked[i + 1].first == ranked[i].first) continue;  // equal scores go together
    const double f1 = 2 * found / (static_cast<double>(i + 1) + matches);
    if (f1 <= best) continue;
    best = f1;
    threshold = i + 1 < ranked.size() ? (ranked[i].first + ranked[i + 1].first) / 2 : ranked[i].first;
  }
  return threshold;
}

std::unique_ptr<LinkModel> GivenWeights(const Comparer& comparer) {
  std::vector<double> weights;
  for (const MatchAttribute& attribute : comparer.attributes()) weights.push_back(attribute.weight);
  return std::make_unique<Weighted>(comparer.leading(), std::move(weights));
}

}  // namespace rhodes
