#include <algorithm>
#include <chrono>
#include <vector>

#include "base/file.h"
#include "train/evaluate.h"
#include "train/loop.h"

namespace rhodes {
namespace {

using Clock = std::chrono::steady_clock;
double Since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

// Share of the time left for what the measurement does not see: checkpoints (copied while training waits), samples, the
// export, and a machine that gets slower as it gets warm.
constexpr double kReserve = 0.04;
constexpr double kMeasureSeconds = 4;

struct Measured {
  double step = 0;        // seconds
  double evaluation = 0;  // seconds a token, without overlap
};

absl::StatusOr<Measured> Measure(const TrainOptions& options, Model& model, const TokenBatch& batch, std::span<float> m,
                                 std::span<float> v, RunContext& context) {
  model.Initialize(options.seed, static_cast<float>(options.deviation));
  const AdamW adamw{static_cast<float>(options.schedule.peak), 0.9f, 0.95f, 1e-8f, 0.1f, 1.0f, 0.1f, 0.05f};
  std::vector<double> seconds;
  const Clock::time_point begin = Clock::now();
  // The first two steps make oneDNN's primitives and touch the memory for the first time.
  for (int i = 0; i < 5 || (i < 40 && Since(begin) < kMeasureSeconds); ++i) {
    RETURN_IF_ERROR(context.CheckCancelled());
    const Clock::time_point step = Clock::now();
    for (int64_t pass = 0; pass < options.accumulation; ++pass) {
      ASSIGN_OR_RETURN(const double loss, model.ForwardBackward(batch, 1e-6f, pass > 0));
      static_cast<void>(loss);
    }
    model.GradientNorm();
    model.StepAdamW(adamw, m, v);
    if (i >= 2) seconds.push_back(Since(step));
  }
  std::ranges::sort(seconds);
  Measured measured;
  measured.step = seconds[seconds.size() / 2];
  std::vector<float> losses(batch.tokens.size());
  double best = 1e30;
  for (int i = 0; i < 3; ++i) {
    const Clock::time_point pass = Clock::now();
    RETURN_IF_ERROR(model.Losses(batch, losses));
    best = std::min(best, Since(pass));
  }
  measured.evaluation = best / static_cast<double>(batch.tokens.size());
  return measured;
}

// Seconds that evaluations take in all: those on the way, and the last one, which reads with overlap.
double EvaluationSeconds(const TrainOptions& options, const TrainInputs& inputs, const Measured& measured) {
  if (inputs.validation == nullptr) return 0;
  const double all = static_cast<double>(inputs.validation->token_count());
  const double last =
      options.final_eval_tokens > 0 ? std::min<double>(all, static_cast<double>(options.final_eval_tokens)) : all;
  const double each = std::min<double>(all, static_cast<double>(options.eval_tokens));
  const double times = options.eval_every < 0 ? 0 : 10;
  return measured.evaluation * (times * each + 2 * last);
}

}  // namespace

absl::StatusOr<TrainPlan> MakePlan(const TrainOptions& options, const TrainInputs& inputs, Model& model,
                                   const TokenBatch& batch, std::span<float> m, std::span<float> v,
                                   RunContext& context) {
  const std::string path = options.out + "/checkpoints/plan.json";
  if (PathExists(path)) {
    const absl::StatusOr<Json> json = ReadJsonFile(path);
    if (json.ok() && json->value("key", "") == options.key && json->value("steps", int64_t{0}) > 0) {
      return TrainPlan{json->value("steps", int64_t{0}), json->value("seconds_per_step", 0.0)};
    }
  }
  // Another run's leftovers, or none.
  RETURN_IF_ERROR(RemoveTree(options.out + "/checkpoints"));
  RETURN_IF_ERROR(CreateDirectories(options.out + "/checkpoints"));
  TrainPlan plan;
  const int64_t step_tokens = options.batch * options.context * options.accumulation;
  if (options.steps > 0) {
    plan.steps = options.steps;
  } else if (options.tokens > 0) {
    plan.steps = (options.tokens + step_tokens - 1) / step_tokens;
  } else {
    const Clock::time_point begin = Clock::now();
    ASSIGN_OR_RETURN(const Measured measured, Measure(options, model, batch, m, v, context));
    const double budget = options.minutes * 60 - Since(begin) - EvaluationSeconds(options, inputs, measured);
    plan.seconds_per_step = measured.step;
    plan.steps = std::max<int64_t>(10, static_cast<int64_t>(budget * (1 - kReserve) / measured.step));
    context.progress->Say(fmt::format("train: {:.3g} minutes are {} steps of {} tokens at {:.0f} ms each",
                                      options.minutes, plan.steps, step_tokens, measured.step * 1e3));
  }
  const Json json = {{"key", options.key},
                     {"steps", plan.steps},
                     {"tokens_per_step", step_tokens},
                     {"seconds_per_step", plan.seconds_per_step}};
  RETURN_IF_ERROR(WriteFileAtomically(path, DumpJson(json, 2) + "\n"));
  return plan;
}

}  // namespace rhodes
