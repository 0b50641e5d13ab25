// What a checkpoint holds beside the arrays and the step: batches left out, and what the judges of a run remember.
#ifndef RHODES_TRAIN_RUN_PROGRESS_H_
#define RHODES_TRAIN_RUN_PROGRESS_H_

#include <optional>

#include "base/json.h"
#include "train/trouble.h"

namespace rhodes {

struct RunProgress {
  explicit RunProgress(double spike_deviations) : spikes(spike_deviations) {}

  BatchSequence batches;
  SpikeDetector spikes;
  bool rolled_back_to = false;      // of a checkpoint: trouble came after it before
  std::optional<double> best_loss;  // of the validation
  int64_t best_step = 0;
  int evaluations_without_gain = 0;

  // Takes in an evaluation after `step`; true when its loss is the best, by at least `least_improvement`.
  bool IsBest(double validation_loss, double least_improvement, int64_t step);

  Json ToJson() const;
  void Restore(const Json& json);  // of ToJson(); an empty object: as new
};

}  // namespace rhodes

#endif  // RHODES_TRAIN_RUN_PROGRESS_H_
