// What a rule says of a document.
#ifndef RHODES_CURATE_VERDICT_H_
#define RHODES_CURATE_VERDICT_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rhodes {

// Kept when `rule` is empty. `reason` is one of a fixed set a rule, counted in the report; `detail` is of this document
// alone ("kept_id=..."). The column `reason` of dropped/ is "reason" or "reason: detail".
struct Verdict {
  std::string_view rule;
  std::string_view reason;
  std::string detail;

  bool kept() const { return rule.empty(); }
};

// One thing that a rule measured, beside its threshold. `rule` and `reason` are names of the program (never freed).
// `dropped`: the value is beyond the threshold, so that this alone would drop the document.
struct Measure {
  std::string_view rule;
  std::string_view reason;
  double value = 0;
  double threshold = 0;
  bool dropped = false;
};

// Takes a rule's measures in the reference's order and finds the verdict: the first that is beyond its threshold. With
// `measures` the rule goes on after that, and all are noted there.
class Findings {
 public:
  explicit Findings(std::string_view rule, std::vector<Measure>* measures = nullptr)
      : rule_(rule), measures_(measures) {}

  // Each returns whether the rule can stop. Comparisons are strict.
  bool Below(std::string_view reason, double value, double threshold) {
    return Add(reason, value, threshold, value < threshold);
  }
  bool Above(std::string_view reason, double value, double threshold) {
    return Add(reason, value, threshold, value > threshold);
  }
  bool Add(std::string_view reason, double value, double threshold, bool dropped) {
    if (measures_ != nullptr) measures_->push_back({rule_, reason, value, threshold, dropped});
    if (dropped && verdict_.kept()) verdict_ = {rule_, reason, {}};
    return dropped && measures_ == nullptr;
  }

  bool collecting() const { return measures_ != nullptr; }
  Verdict Take() { return std::move(verdict_); }

 private:
  std::string_view rule_;
  std::vector<Measure>* measures_;
  Verdict verdict_;
};

}  // namespace rhodes

#endif  // RHODES_CURATE_VERDICT_H_
