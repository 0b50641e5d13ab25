#include "train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace rhodes {

absl::StatusOr<ScheduleKind> ParseSchedule(std::string_view name) {
  if (name == "constant") return ScheduleKind::kConstant;
  if (name == "cosine") return ScheduleKind::kCosine;
  if (name == "wsd") return ScheduleKind::kWarmupStableDecay;
  return absl::InvalidArgumentError(
      fmt::format("schedule \"{}\" is not known; there are constant, cosine and wsd (warm-up, stable, decay)", name));
}

std::string_view ScheduleName(ScheduleKind kind) {
  switch (kind) {
    case ScheduleKind::kConstant:
      return "constant";
    case ScheduleKind::kCosine:
      return "cosine";
    case ScheduleKind::kWarmupStableDecay:
      break;
  }
  return "wsd";
}

double LearningRate(const Schedule& schedule, int64_t step, int64_t steps) {
  const double total = static_cast<double>(steps);
  const double warmup = std::max(1.0, std::floor(schedule.warmup_share * total));
  const double done = static_cast<double>(step);
  if (done < warmup) return schedule.peak * (done + 1) / warmup;
  double high = 1;  // 1 at the peak, 0 at the floor
  if (schedule.kind == ScheduleKind::kCosine) {
    const double share = (done - warmup) / std::max(1.0, total - warmup);
    high = 0.5 * (1 + std::cos(std::numbers::pi * share));
  } else if (schedule.kind == ScheduleKind::kWarmupStableDecay) {
    const double decay = std::max(1.0, schedule.decay_share * total);
    high = std::clamp((total - done) / decay, 0.0, 1.0);
  }
  return schedule.peak * (schedule.final_share + (1 - schedule.final_share) * high);
}

}  // namespace rhodes
