#include "train/schedule.h"

#include <gtest/gtest.h>

namespace rhodes {
namespace {

TEST(Schedule, WarmsUpThenFollowsItsKind) {
  Schedule schedule;
  schedule.peak = 1;
  schedule.warmup_share = 0.1;
  schedule.decay_share = 0.4;
  schedule.final_share = 0.2;
  for (const ScheduleKind kind : {ScheduleKind::kConstant, ScheduleKind::kCosine, ScheduleKind::kWarmupStableDecay}) {
    schedule.kind = kind;
    EXPECT_DOUBLE_EQ(LearningRate(schedule, 0, 100), 0.1);
    EXPECT_DOUBLE_EQ(LearningRate(schedule, 4, 100), 0.5);
    EXPECT_DOUBLE_EQ(LearningRate(schedule, 9, 100), 1.0);
    EXPECT_DOUBLE_EQ(LearningRate(schedule, 10, 100), 1.0);
  }
  schedule.kind = ScheduleKind::kConstant;
  EXPECT_DOUBLE_EQ(LearningRate(schedule, 99, 100), 1.0);
  schedule.kind = ScheduleKind::kCosine;
  EXPECT_NEAR(LearningRate(schedule, 55, 100), 0.6, 1e-12);  // half way between 1 and 0.2
  EXPECT_NEAR(LearningRate(schedule, 99, 100), 0.2, 1e-3);
  schedule.kind = ScheduleKind::kWarmupStableDecay;
  EXPECT_DOUBLE_EQ(LearningRate(schedule, 60, 100), 1.0);
  EXPECT_NEAR(LearningRate(schedule, 80, 100), 0.6, 1e-12);
  EXPECT_NEAR(LearningRate(schedule, 99, 100), 0.2 + 0.8 / 40, 1e-12);
}

TEST(Schedule, HasAtLeastOneStepOfWarmUpAndAnyNumberOfSteps) {
  const Schedule schedule;
  EXPECT_DOUBLE_EQ(LearningRate(schedule, 0, 1), schedule.peak);
  for (int64_t step = 0; step < 7; ++step) {
    EXPECT_GT(LearningRate(schedule, step, 7), 0);
    EXPECT_LE(LearningRate(schedule, step, 7), schedule.peak);
  }
}

TEST(Schedule, NamesGoBothWays) {
  for (const ScheduleKind kind : {ScheduleKind::kConstant, ScheduleKind::kCosine, ScheduleKind::kWarmupStableDecay}) {
    EXPECT_EQ(*ParseSchedule(ScheduleName(kind)), kind);
  }
  EXPECT_EQ(ParseSchedule("linear").status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace rhodes
