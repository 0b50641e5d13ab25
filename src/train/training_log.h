// What a run says about itself while it goes: lines of metrics.jsonl, and their numbers and texts as TensorBoard
// events.
#ifndef RHODES_TRAIN_TRAINING_LOG_H_
#define RHODES_TRAIN_TRAINING_LOG_H_

#include <optional>

#include "train/event_file.h"
#include "train/metrics.h"
#include "train/train.h"

namespace rhodes {

// {"step", "loss", "learning_rate", "gradient_norm", "tokens", "tokens_per_second", "share_of_peak"}.
Json StepLine(const StepReport& step);

// Before Open() (on ranks other than 0: always) nothing is written. Not thread-safe.
class TrainingLog {
 public:
  // OUT/metrics.jsonl with its lines up to `step`, and a new event file where options.event_dir says so. Again after a
  // roll-back.
  absl::Status Open(const TrainOptions& options, int64_t step);
  absl::Status Write(const Json& line);
  // As MetricsLog::training_seconds(); 0 before Open().
  double training_seconds() const { return metrics_ ? metrics_->training_seconds() : 0; }

 private:
  absl::Status WriteEvents(const Json& line);

  std::optional<MetricsLog> metrics_;
  std::optional<EventFile> events_;
};

}  // namespace rhodes

#endif  // RHODES_TRAIN_TRAINING_LOG_H_
