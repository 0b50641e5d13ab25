// Losses that are no numbers or jump, and what is written down about them.
#ifndef RHODES_TRAIN_TROUBLE_H_
#define RHODES_TRAIN_TROUBLE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "model/model.h"

namespace rhodes {

// Follows the losses of a run. What it says depends on the last of them alone, so a run that goes on from ToJson()
// judges as one that was never stopped.
class SpikeDetector {
 public:
  // A spike is a loss above median + max(deviations · standard deviation, one nat) of the last 32, once 20 were seen.
  // The deviation is taken from the median distance from the median (times 1.4826, its value for a normal
  // distribution): a single jump, or losses that still fall fast, do not widen it. 0: there are no spikes.
  explicit SpikeDetector(double deviations) : deviations_(deviations) {}

  // Empty when all is well; else why not, for people: "the loss is no number", "the loss jumped".
  std::string Judge(double loss, double gradient_norm) const;
  // Takes in the loss of a step that was made.
  void Add(double loss);

  double median() const;     // 0 before the first
  double deviation() const;  // the same

  Json ToJson() const;
  void Restore(const Json& json);  // of ToJson(); anything else: as new

 private:
  double deviations_;
  std::vector<double> last_;  // oldest first
};

// Which batch a step trains on: the batches in order, without those that are left out.
class BatchSequence {
 public:
  // Of step `step`, counted from 0.
  int64_t BatchOf(int64_t step) const;
  void Skip(int64_t batch);
  const std::vector<int64_t>& skipped() const { return skipped_; }
  void Restore(std::vector<int64_t> skipped);

 private:
  std::vector<int64_t> skipped_;  // ascending
};

struct Trouble {
  int64_t step = 0;   // that was not made, counted from 1
  int64_t batch = 0;  // its place in the order of the run
  double loss = 0, gradient_norm = 0;
  double median = 0, deviation = 0;  // of the losses before
  std::string reason;
};

// For report.json: `trouble`, and the gradients' norm of each weight, those that are no numbers first, then the
// largest.
Json DescribeTrouble(const Trouble& trouble, Model& model);

}  // namespace rhodes

#endif  // RHODES_TRAIN_TROUBLE_H_
