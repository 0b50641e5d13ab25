// The learning rate as a function of the step.
#ifndef RHODES_TRAIN_SCHEDULE_H_
#define RHODES_TRAIN_SCHEDULE_H_

#include <cstdint>
#include <string_view>

#include "base/status.h"

namespace rhodes {

enum class ScheduleKind {
  kConstant,          // after the warm-up, level to the end
  kCosine,            // falls along half a cosine from the end of the warm-up
  kWarmupStableDecay  // level, then straight down over the last `decay_share` of the steps
};

// "constant", "cosine", "wsd". INVALID_ARGUMENT for anything else.
absl::StatusOr<ScheduleKind> ParseSchedule(std::string_view name);
std::string_view ScheduleName(ScheduleKind kind);

struct Schedule {
  ScheduleKind kind = ScheduleKind::kWarmupStableDecay;
  double peak = 3e-3;
  double warmup_share = 0.03;  // of all steps, rising from 0; at least one step
  double decay_share = 0.5;    // of all steps; kWarmupStableDecay only
  double final_share = 0.05;   // of the peak, reached after the last step
};

// The rate of step `step` in [0, steps).
double LearningRate(const Schedule& schedule, int64_t step, int64_t steps);

}  // namespace rhodes

#endif  // RHODES_TRAIN_SCHEDULE_H_
