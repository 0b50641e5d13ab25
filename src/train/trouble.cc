#include "train/trouble.h"

#include <algorithm>
#include <cmath>

#include "model/kernels/elementwise.h"

namespace rhodes {
namespace {

constexpr double kKeep = 0.98;  // of the running mean and variance, a step
constexpr int64_t kUnjudged = 20;
constexpr double kLeastJump = 0.5;  // nats
constexpr size_t kNamed = 20;       // weights in a report

// JSON has no NaN.
Json Number(double value) { return std::isfinite(value) ? Json(value) : Json(fmt::format("{}", value)); }

}  // namespace

double SpikeDetector::deviation() const { return std::sqrt(variance_); }

std::string SpikeDetector::Judge(double loss, double gradient_norm) const {
  if (!std::isfinite(loss)) return "the loss is no number";
  if (!std::isfinite(gradient_norm)) return "the gradient is no number";
  if (deviations_ > 0 && seen_ >= kUnjudged && loss > mean_ + std::max(deviations_ * deviation(), kLeastJump)) {
    return "the loss jumped";
  }
  return "";
}

void SpikeDetector::Add(double loss) {
  if (seen_++ == 0) {
    mean_ = loss;
    return;
  }
  const double distance = loss - mean_;
  mean_ += (1 - kKeep) * distance;
  variance_ = kKeep * (variance_ + (1 - kKeep) * distance * distance);
}

Json SpikeDetector::ToJson() const { return {{"mean", mean_}, {"variance", variance_}, {"seen", seen_}}; }

void SpikeDetector::Restore(const Json& json) {
  const Json own = json.is_object() ? json : Json::object();
  mean_ = own.value("mean", 0.0);
  variance_ = own.value("variance", 0.0);
  seen_ = own.value("seen", int64_t{0});
}

int64_t BatchSequence::BatchOf(int64_t step) const {
  int64_t batch = step;
  for (const int64_t skipped : skipped_) batch += skipped <= batch ? 1 : 0;
  return batch;
}

void BatchSequence::Skip(int64_t batch) {
  const auto place = std::ranges::lower_bound(skipped_, batch);
  if (place == skipped_.end() || *place != batch) skipped_.insert(place, batch);
}

void BatchSequence::Restore(std::vector<int64_t> skipped) {
  skipped_ = std::move(skipped);
  std::ranges::sort(skipped_);
}

Json DescribeTrouble(const Trouble& trouble, Model& model) {
  struct Norm {
    std::string name;
    double norm;
  };
  std::vector<Norm> norms;
  const Elementwise<float>& fast = FastElementwise<float>();
  for (const Parameter& parameter : model.layout().parameters()) {
    norms.push_back({parameter.name,
                     std::sqrt(fast.sum_of_squares(model.gradients().data() + parameter.offset, parameter.size()))});
  }
  std::ranges::stable_sort(norms, [](const Norm& a, const Norm& b) {
    const bool a_bad = !std::isfinite(a.norm), b_bad = !std::isfinite(b.norm);
    return a_bad != b_bad ? a_bad : !a_bad && a.norm > b.norm;
  });
  norms.resize(std::min(norms.size(), kNamed));
  Json gradients = Json::array();
  for (const Norm& norm : norms) gradients.push_back({{"weight", norm.name}, {"gradient_norm", Number(norm.norm)}});
  return {{"reason", trouble.reason},
          {"step", trouble.step},
          {"batch", trouble.batch},
          {"loss", Number(trouble.loss)},
          {"gradient_norm", Number(trouble.gradient_norm)},
          {"mean_loss_before", trouble.mean_loss},
          {"deviation_before", trouble.deviation},
          {"largest_gradients", gradients}};
}

}  // namespace rhodes
