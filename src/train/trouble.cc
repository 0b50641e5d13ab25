#include "train/trouble.h"

#include <algorithm>
#include <cmath>

#include "model/kernels/elementwise.h"

namespace rhodes {
namespace {

constexpr size_t kRemembered = 32;
constexpr size_t kUnjudged = 20;
constexpr double kLeastJump = 1.0;          // nats
constexpr double kNormalDistance = 1.4826;  // standard deviation over median distance
constexpr size_t kNamed = 20;               // weights in a report

// JSON has no NaN.
Json Number(double value) { return std::isfinite(value) ? Json(value) : Json(fmt::format("{}", value)); }

double MedianOf(std::vector<double> values) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  return (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2;
}

}  // namespace

double SpikeDetector::median() const { return MedianOf(last_); }

double SpikeDetector::deviation() const {
  std::vector<double> distances = last_;
  for (double& value : distances) value = std::abs(value - median());
  return kNormalDistance * MedianOf(std::move(distances));
}

std::string SpikeDetector::Judge(double loss, double gradient_norm) const {
  if (!std::isfinite(loss)) return "the loss is no number";
  if (!std::isfinite(gradient_norm)) return "the gradient is no number";
  if (deviations_ > 0 && last_.size() >= kUnjudged &&
      loss > median() + std::max(deviations_ * deviation(), kLeastJump)) {
    return "the loss jumped";
  }
  return "";
}

void SpikeDetector::Add(double loss) {
  if (last_.size() == kRemembered) last_.erase(last_.begin());
  last_.push_back(loss);
}

Json SpikeDetector::ToJson() const { return {{"last", last_}}; }

void SpikeDetector::Restore(const Json& json) {
  last_ = json.is_object() ? json.value("last", std::vector<double>()) : std::vector<double>();
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
          {"median_loss_before", trouble.median},
          {"deviation_before", trouble.deviation},
          {"largest_gradients", gradients}};
}

}  // namespace rhodes
