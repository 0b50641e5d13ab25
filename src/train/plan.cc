#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <string>
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

// Seconds that evaluations take in all: those on the way, and the last one, which reads with overlap.
double EvaluationSeconds(const TrainOptions& options, const TrainInputs& inputs, const MeasuredSpeed& measured) {
  if (inputs.validation == nullptr) return 0;
  const double all = static_cast<double>(inputs.validation->token_count());
  const double last =
      options.final_eval_tokens > 0 ? std::min<double>(all, static_cast<double>(options.final_eval_tokens)) : all;
  const double each = std::min<double>(all, static_cast<double>(options.eval_tokens));
  const double times = options.eval_every < 0 ? 0 : 10;
  const double by_source = inputs.validation_by_source.empty() ? 1 : 2;
  return by_source * measured.evaluation * (times * each + 2 * last);
}

std::string PlanPath(const TrainOptions& options) { return options.out + "/checkpoints/plan.json"; }

// What may differ when a run goes on: how far and how it goes, not what its state means.
bool MayChange(std::string_view setting) {
  static const std::set<std::string_view> names = {"steps",
                                                   "tokens",
                                                   "minutes",
                                                   "schedule",
                                                   "learning_rate",
                                                   "warmup_share",
                                                   "decay_share",
                                                   "final_share",
                                                   "weight_decay",
                                                   "clip",
                                                   "eval_every",
                                                   "eval_tokens",
                                                   "sample_tokens",
                                                   "sample_prompts",
                                                   "final_eval_tokens",
                                                   "patience",
                                                   "least_improvement",
                                                   "spike_deviations",
                                                   "most_rollbacks",
                                                   "muon_learning_rate"};
  return names.contains(setting);
}

std::vector<std::string> DifferentMembers(const Json& a, const Json& b) {
  std::set<std::string> names;
  for (const Json* json : {&a, &b}) {
    for (const auto& [name, value] : json->items()) {
      const bool same = a.contains(name) && b.contains(name) && a[name] == b[name];
      if (!same) names.insert(name);
    }
  }
  return {names.begin(), names.end()};
}

// That of this key; without steps when there is none, after room was made for a new one.
absl::StatusOr<TrainPlan> RecordedPlan(const TrainOptions& options, const std::string& path) {
  bool same = false;
  if (PathExists(path)) {
    const absl::StatusOr<Json> json = ReadJsonFile(path);
    same = json.ok() && json->value("key", "") == options.key;
    if (same && json->value("steps", int64_t{0}) > 0) {
      return TrainPlan{json->value("steps", int64_t{0}), json->value("seconds_per_step", 0.0)};
    }
  }
  // Another run's leftovers, or none.
  if (!same) RETURN_IF_ERROR(RemoveTree(options.out + "/checkpoints"));
  RETURN_IF_ERROR(CreateDirectories(options.out + "/checkpoints"));
  return TrainPlan{};
}

}  // namespace

absl::StatusOr<MeasuredSpeed> MeasureSpeed(const TrainOptions& options, Model& model, const TokenBatch& batch,
                                           DataParallel& parallel, double seconds, RunContext& context) {
  model.Initialize(options.seed, static_cast<float>(options.deviation));
  const AdamW adamw{static_cast<float>(options.schedule.peak), 0.9f, 0.95f, 1e-8f, 0.1f, 1.0f, 0.1f, 0.05f};
  std::vector<double> timed;
  const Clock::time_point begin = Clock::now();
  // The first two steps make oneDNN's primitives and touch the memory for the first time.
  for (int i = 0;; ++i) {
    ASSIGN_OR_RETURN(const bool more, parallel.ranks().BroadcastValue(i < 5 || (i < 40 && Since(begin) < seconds)));
    if (!more) break;
    ASSIGN_OR_RETURN(const bool cancelled, parallel.ranks().Any(!context.CheckCancelled().ok()));
    if (cancelled) return InterruptedError();
    const Clock::time_point step = Clock::now();
    for (int64_t pass = 0; pass < options.accumulation; ++pass) {
      const bool last = pass + 1 == options.accumulation;
      RETURN_IF_ERROR(parallel.ForwardBackward(batch, 1e-6f, pass > 0, last).status());
    }
    RETURN_IF_ERROR(parallel.FinishGradients());
    RETURN_IF_ERROR(parallel.SumUp(0).status());
    RETURN_IF_ERROR(parallel.Step(adamw, MuonSettings{}));
    if (i >= 2) timed.push_back(Since(step));
  }
  std::ranges::sort(timed);
  MeasuredSpeed measured;
  measured.step = timed[timed.size() / 2];
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

absl::Status ResolveExisting(TrainOptions& options, RunContext& context) {
  const std::string path = PlanPath(options);
  const bool resume = options.existing == TrainOptions::Existing::kResume;
  // A run that failed before its first checkpoint, over weights that cannot be read, say, leaves a plan alone.
  bool begun = false;
  if (PathExists(path)) {
    ASSIGN_OR_RETURN(const std::vector<std::string> files, ListFiles(options.out + "/checkpoints"));
    begun = std::ranges::any_of(files, [](const std::string& file) { return file.ends_with(".state"); });
  }
  if (!begun) {
    if (resume) {
      context.progress->Say(fmt::format("train: {} holds no run to go on with: from the beginning", options.out));
    }
    return absl::OkStatus();
  }
  const absl::StatusOr<Json> plan = ReadJsonFile(path);
  if (options.existing == TrainOptions::Existing::kReplace) return absl::OkStatus();
  if (!plan.ok() || !plan->is_object()) {
    return UsageError(fmt::format("train: {} cannot be read: give another --out, or remove it to begin anew", path));
  }
  const std::string key = plan->value("key", "");
  if (key == options.key) return absl::OkStatus();
  const Json before = plan->value("settings", Json());
  if (!before.is_object()) {
    return UsageError(
        fmt::format("train: {} holds another run: give another --out, or remove {}/checkpoints to begin "
                    "anew",
                    options.out, options.out));
  }
  const std::vector<std::string> different = DifferentMembers(before, options.settings);
  std::vector<std::string> fixed;
  for (const std::string& name : different) {
    if (!MayChange(name)) fixed.push_back(name);
  }
  if (!fixed.empty()) {
    return UsageError(fmt::format(
        "train: {} holds another run, whose settings differ in {}: give another --out, or remove {}/checkpoints to "
        "begin anew",
        options.out, fmt::join(fixed, ", "), options.out));
  }
  if (!different.empty() && !resume) {
    return UsageError(
        fmt::format("train: {} holds a run that differs in {}: --resume goes on with it; or give another "
                    "--out, or remove {}/checkpoints to begin anew",
                    options.out, fmt::join(different, ", "), options.out));
  }
  options.key = key;
  if (different.empty()) return absl::OkStatus();
  Json replanned = *plan;
  replanned["steps"] = 0;
  return WriteFileAtomically(path, DumpJson(replanned, 2) + "\n");
}

absl::StatusOr<TrainPlan> MakePlan(const TrainOptions& options, const TrainInputs& inputs, Model& model,
                                   const TokenBatch& batch, DataParallel& parallel, RunContext& context) {
  const std::string path = PlanPath(options);
  Communicator& ranks = parallel.ranks();
  TrainPlan plan;
  if (ranks.root()) {
    ASSIGN_OR_RETURN(plan, RecordedPlan(options, path));
  }
  ASSIGN_OR_RETURN(plan, ranks.BroadcastValue(plan));
  if (plan.steps > 0) return plan;
  const int64_t step_tokens = options.batch * options.context * options.accumulation;
  if (options.steps > 0) {
    plan.steps = options.steps;
  } else if (options.tokens > 0) {
    plan.steps = (options.tokens + step_tokens - 1) / step_tokens;
  } else {
    const Clock::time_point begin = Clock::now();
    ASSIGN_OR_RETURN(MeasuredSpeed measured, MeasureSpeed(options, model, batch, parallel, kMeasureSeconds, context));
    measured.evaluation /= ranks.size();  // evaluations are shared out
    const double budget = options.minutes * 60 - Since(begin) - EvaluationSeconds(options, inputs, measured);
    plan.seconds_per_step = measured.step;
    plan.steps = std::max<int64_t>(10, static_cast<int64_t>(budget * (1 - kReserve) / measured.step));
    ASSIGN_OR_RETURN(plan, ranks.BroadcastValue(plan));
    context.progress->Say(fmt::format("train: {:.3g} minutes are {} steps of {} tokens at {:.0f} ms each",
                                      options.minutes, plan.steps, step_tokens, plan.seconds_per_step * 1e3));
  }
  if (!ranks.root()) return plan;
  const Json json = {{"key", options.key},
                     {"steps", plan.steps},
                     {"tokens_per_step", step_tokens},
                     {"seconds_per_step", plan.seconds_per_step},
                     {"settings", options.settings}};
  RETURN_IF_ERROR(WriteFileAtomically(path, DumpJson(json, 2) + "\n"));
  return plan;
}

}  // namespace rhodes
