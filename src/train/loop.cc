#include "train/loop.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include "base/file.h"
#include "base/manifest.h"
#include "table/part_list.h"
#include "train/checkpoint.h"
#include "train/data_order.h"
#include "train/evaluate.h"
#include "train/export.h"
#include "train/metrics.h"

namespace rhodes {
namespace {

using Clock = std::chrono::steady_clock;
double Since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

ComputeType ChooseCompute(TrainOptions::Compute compute) {
  switch (compute) {
    case TrainOptions::Compute::kBf16:
      return ComputeType::kBf16;
    case TrainOptions::Compute::kF32:
      return ComputeType::kF32;
    case TrainOptions::Compute::kAuto:
      break;
  }
  return NativeComputeType();
}

uint64_t PeakMemoryBytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss) * 1024;
}

// One run: owns the model, the optimizer's state and the files.
class Run {
 public:
  Run(const TrainOptions& options, const TrainInputs& inputs, RunContext& context)
      : options_(options),
        inputs_(inputs),
        context_(context),
        batch_(options.batch, options.context),
        step_tokens_(options.batch * options.context * options.accumulation) {}

  absl::StatusOr<TrainReport> Execute();

 private:
  absl::Status Prepare();
  absl::Status LoadStart();
  absl::Status OneStep();
  absl::Status AfterStep();
  absl::Status EvaluateOnTheWay();
  absl::Status SamplePrompts(bool last);
  absl::Status Finish();
  absl::Status NotANumber(double loss, double norm);
  absl::Status Checkpoint();
  TrainState state() { return {model_->weights(), m_.span(), v_.span()}; }

  const TrainOptions& options_;
  const TrainInputs& inputs_;
  RunContext& context_;
  BatchBuffer batch_;
  const int64_t step_tokens_;

  std::unique_ptr<Model> model_;
  Buffer<float> m_, v_;
  std::optional<Windows> windows_;
  std::optional<CheckpointStore> checkpoints_;
  std::optional<MetricsLog> metrics_;
  TrainPlan plan_;
  int64_t eval_every_ = 0;
  int64_t step_ = 0;  // steps done
  Clock::time_point last_checkpoint_;
  double flops_per_token_ = 0;
  TrainReport report_;
};

absl::Status Run::Prepare() {
  ASSIGN_OR_RETURN(
      windows_, Windows::Create(*inputs_.train, inputs_.replay, inputs_.replay_share, options_.context, options_.seed));
  ModelOptions model_options;
  model_options.compute = ChooseCompute(options_.compute);
  model_options.threads = context_.Threads();
  model_options.max_sequences = options_.batch;
  model_options.max_context = options_.context;
  model_options.training = true;
  const uint64_t state_bytes = static_cast<uint64_t>(ParameterLayout(options_.config).size()) * 3 * sizeof(float);
  const uint64_t needed = Model::MemoryBytes(options_.config, model_options) + state_bytes * 2 / 3;
  if (needed > context_.memory_bytes) {
    return absl::ResourceExhaustedError(fmt::format(
        "train: {:.2f} GB are needed for this model and batch and {:.2f} GB are allowed: allow more (--memory), "
        "or use a smaller batch, context or model",
        static_cast<double>(needed) * 1e-9, static_cast<double>(context_.memory_bytes) * 1e-9));
  }
  ASSIGN_OR_RETURN(model_, Model::Create(options_.config, model_options));
  const size_t count = model_->weights().size();
  m_ = Buffer<float>(count);
  v_ = Buffer<float>(count);
  report_.compute = model_options.compute == ComputeType::kBf16 ? "bf16" : "f32";
  report_.parameters = model_->layout().count();
  report_.peak_flops_per_second = MeasurePeak(model_options.compute, model_options.threads, options_.peak_seconds);
  flops_per_token_ = TrainingFlopsPerToken(options_.config, options_.context);

  batch_.Fill(*windows_, 0, inputs_.tokenizer->end_of_text());
  ASSIGN_OR_RETURN(plan_, MakePlan(options_, inputs_, *model_, batch_.view(), m_.span(), v_.span(), context_));
  eval_every_ = options_.eval_every != 0 ? options_.eval_every : std::max<int64_t>(1, plan_.steps / 10);

  const bool asynchronous = needed + state_bytes <= context_.memory_bytes;
  checkpoints_.emplace(options_.out + "/checkpoints", options_.key, options_.keep_checkpoints, asynchronous);
  ASSIGN_OR_RETURN(const std::optional<int64_t> found, checkpoints_->LoadNewest(state(), context_));
  step_ = report_.resumed_from = found.value_or(0);
  if (found.has_value()) {
    model_->CommitWeights();
    context_.progress->Say(fmt::format("train: going on from the checkpoint of step {} of {}", step_, plan_.steps));
  } else {
    std::ranges::fill(m_.span(), 0.0f);
    std::ranges::fill(v_.span(), 0.0f);
    RETURN_IF_ERROR(LoadStart());
  }
  ASSIGN_OR_RETURN(MetricsLog log, MetricsLog::Open(options_.out + "/metrics.jsonl", step_, options_.on_metrics_line));
  metrics_.emplace(std::move(log));
  return absl::OkStatus();
}

// Random weights, or those of an earlier run with or without what its optimizer knew.
absl::Status Run::LoadStart() {
  if (!options_.start) {
    model_->Initialize(options_.seed, static_cast<float>(options_.deviation));
    return absl::OkStatus();
  }
  if (options_.start->checkpoints.empty()) return LoadWeights(options_.start->model, *model_);
  const CheckpointStore store(options_.start->checkpoints, options_.start->key, 1, false);
  ASSIGN_OR_RETURN(const std::optional<int64_t> found, store.LoadNewest(state(), context_));
  if (!found) {
    return absl::NotFoundError(
        fmt::format("train: {} has no whole checkpoint to go on from", options_.start->checkpoints));
  }
  model_->CommitWeights();
  return absl::OkStatus();
}

absl::Status Run::Checkpoint() {
  RETURN_IF_ERROR(checkpoints_->Save(step_, state()));
  last_checkpoint_ = Clock::now();
  return absl::OkStatus();
}

absl::Status Run::NotANumber(double loss, double norm) {
  RETURN_IF_ERROR(checkpoints_->Save(step_, state()));
  RETURN_IF_ERROR(checkpoints_->Wait());
  return absl::FailedPreconditionError(fmt::format(
      "train: step {}: loss {} and gradient norm {} are not numbers any more; the state before this step is "
      "kept in {}/checkpoints. Try a lower learning rate (now {}), a longer warm-up (now {} of the steps) or "
      "computing in f32",
      step_ + 1, loss, norm, options_.out, options_.schedule.peak, options_.schedule.warmup_share));
}

absl::Status Run::OneStep() {
  const Clock::time_point begin = Clock::now();
  double nats = 0;
  for (int64_t pass = 0; pass < options_.accumulation; ++pass) {
    batch_.Fill(*windows_, static_cast<uint64_t>((step_ * options_.accumulation + pass) * options_.batch),
                inputs_.tokenizer->end_of_text());
    ASSIGN_OR_RETURN(const double sum,
                     model_->ForwardBackward(batch_.view(), 1.0f / static_cast<float>(step_tokens_), pass > 0));
    nats += sum;
  }
  const double loss = nats / static_cast<double>(step_tokens_);
  const double norm = model_->GradientNorm();
  if (!std::isfinite(loss) || !std::isfinite(norm)) return NotANumber(loss, norm);
  const double rate = LearningRate(options_.schedule, step_, plan_.steps);
  const int64_t updates_before = options_.start ? options_.start->updates : 0;  // that m and v have seen
  const double power = static_cast<double>(updates_before + step_ + 1);
  AdamW adamw;
  adamw.learning_rate = static_cast<float>(rate);
  adamw.beta1 = static_cast<float>(options_.beta1);
  adamw.beta2 = static_cast<float>(options_.beta2);
  adamw.epsilon = static_cast<float>(options_.epsilon);
  adamw.decay = static_cast<float>(options_.weight_decay);
  adamw.gradient_factor = options_.clip > 0 ? static_cast<float>(std::min(1.0, options_.clip / (norm + 1e-6))) : 1.0f;
  adamw.correction1 = static_cast<float>(1 - std::pow(options_.beta1, power));
  adamw.correction2 = static_cast<float>(1 - std::pow(options_.beta2, power));
  model_->StepAdamW(adamw, m_.span(), v_.span());
  ++step_;

  const double seconds = Since(begin);
  StepReport step;
  step.step = step_;
  step.loss = loss;
  step.learning_rate = rate;
  step.gradient_norm = norm;
  step.tokens = step_ * step_tokens_;
  step.tokens_per_second = static_cast<double>(step_tokens_) / seconds;
  if (report_.peak_flops_per_second > 0) {
    step.share_of_peak = step.tokens_per_second * flops_per_token_ / report_.peak_flops_per_second;
  }
  RETURN_IF_ERROR(metrics_->Append(Json{{"step", step.step},
                                        {"loss", step.loss},
                                        {"learning_rate", step.learning_rate},
                                        {"gradient_norm", step.gradient_norm},
                                        {"tokens", step.tokens},
                                        {"tokens_per_second", step.tokens_per_second},
                                        {"share_of_peak", step.share_of_peak}}));
  if (options_.on_step) options_.on_step(step);
  context_.progress->Update(
      static_cast<uint64_t>(step.tokens),
      fmt::format("step {}/{} loss {:.3f} {:.0f} % of peak", step_, plan_.steps, loss, 100 * step.share_of_peak));
  return absl::OkStatus();
}

// Lines of the last ones are marked: a run that was killed after them makes them again.
absl::Status Run::SamplePrompts(bool last) {
  for (size_t i = 0; i < options_.sample_prompts.size(); ++i) {
    const std::string& prompt = options_.sample_prompts[i];
    ASSIGN_OR_RETURN(const std::string text, Sample(*model_, *inputs_.tokenizer, prompt, options_.sample_tokens,
                                                    options_.seed + static_cast<uint64_t>(step_) * 1000003u + i));
    Json line = {{"step", step_}, {"prompt", prompt}, {"sample", text}};
    if (last) line["final"] = true;
    RETURN_IF_ERROR(metrics_->Append(line));
    context_.progress->Say(fmt::format("step {}: {}", step_, text));
  }
  return absl::OkStatus();
}

absl::Status Run::EvaluateOnTheWay() {
  if (inputs_.validation != nullptr) {
    ASSIGN_OR_RETURN(const Evaluation e,
                     Evaluate(*model_, *inputs_.validation, *inputs_.tokenizer,
                              static_cast<uint64_t>(options_.eval_tokens), options_.context, false, context_));
    RETURN_IF_ERROR(
        metrics_->Append(Json{{"step", step_}, {"validation_loss", e.loss}, {"bits_per_byte", e.bits_per_byte}}));
    context_.progress->Say(fmt::format("step {} of {}: validation loss {:.4f}, {:.4f} bits per byte", step_,
                                       plan_.steps, e.loss, e.bits_per_byte));
  }
  return SamplePrompts(false);
}

absl::Status Run::AfterStep() {
  if (step_ == plan_.steps) return absl::OkStatus();
  // The evaluation goes before the checkpoint: a run that goes on from here does not make it again.
  if (eval_every_ > 0 && step_ % eval_every_ == 0) RETURN_IF_ERROR(EvaluateOnTheWay());
  if (Since(last_checkpoint_) >= options_.checkpoint_seconds) RETURN_IF_ERROR(Checkpoint());
  return absl::OkStatus();
}

absl::Status Run::Finish() {
  if (inputs_.validation != nullptr) {
    ASSIGN_OR_RETURN(report_.validation,
                     Evaluate(*model_, *inputs_.validation, *inputs_.tokenizer,
                              static_cast<uint64_t>(options_.final_eval_tokens), options_.context, true, context_));
  }
  RETURN_IF_ERROR(SamplePrompts(true));
  ASSIGN_OR_RETURN(report_.train_loss, MeanLossAfter(options_.out + "/metrics.jsonl",
                                                     plan_.steps - std::max<int64_t>(1, plan_.steps / 10)));
  report_.steps = plan_.steps;
  report_.tokens = plan_.steps * step_tokens_;
  report_.training_seconds = metrics_->training_seconds();
  if (report_.training_seconds > 0) {
    report_.tokens_per_second = static_cast<double>(report_.tokens) / report_.training_seconds;
    report_.flops_per_second = report_.tokens_per_second * flops_per_token_;
  }
  if (report_.peak_flops_per_second > 0) {
    report_.share_of_peak = report_.flops_per_second / report_.peak_flops_per_second;
  }
  ASSIGN_OR_RETURN(StagedDirectory staged, StagedDirectory::Open(options_.out + "/model"));
  RETURN_IF_ERROR(ExportModel(*model_, *inputs_.tokenizer, options_.tokenizer, staged.path()));
  Manifest manifest;
  manifest.stage = "train";
  manifest.key = options_.key;
  manifest.settings = options_.settings;
  manifest.counts = {{"steps", report_.steps},
                     {"tokens", report_.tokens},
                     {"parameters", report_.parameters},
                     {"compute", report_.compute},
                     {"train_loss", report_.train_loss},
                     {"validation_loss", report_.validation.loss},
                     {"bits_per_byte", report_.validation.bits_per_byte},
                     {"validation_tokens", report_.validation.tokens},
                     {"validation_bytes", report_.validation.bytes}};
  manifest.seconds = report_.training_seconds;
  manifest.extra = options_.rights;
  ASSIGN_OR_RETURN(const std::vector<PartInfo> files,
                   DescribeFiles(staged.path(), {"config.json", "model.safetensors", "tokenizer.json"}));
  manifest.extra["files"] = PartsToJson(files);
  RETURN_IF_ERROR(WriteManifest(staged.path(), manifest));
  report_.peak_memory_bytes = PeakMemoryBytes();
  Json last = ToJson(report_);
  last["step"] = plan_.steps;
  last.erase("resumed_from");  // the one field that would tell a run that was killed from one that was not
  last["final"] = true;
  RETURN_IF_ERROR(metrics_->Append(last));
  return staged.Commit();
}

absl::StatusOr<TrainReport> Run::Execute() {
  RETURN_IF_ERROR(Prepare());
  context_.progress->Begin("train", static_cast<uint64_t>(plan_.steps * step_tokens_), "tokens");
  last_checkpoint_ = Clock::now();
  while (step_ < plan_.steps) {
    if (const absl::Status cancelled = context_.CheckCancelled(); !cancelled.ok()) {
      RETURN_IF_ERROR(checkpoints_->Save(step_, state()));
      RETURN_IF_ERROR(checkpoints_->Wait());
      return cancelled;
    }
    RETURN_IF_ERROR(OneStep());
    RETURN_IF_ERROR(AfterStep());
  }
  // The last state stays: a longer run may start from it, and a kill during what follows does not cost the training.
  if (report_.resumed_from != plan_.steps) RETURN_IF_ERROR(checkpoints_->Save(step_, state()));
  RETURN_IF_ERROR(checkpoints_->Wait());
  RETURN_IF_ERROR(checkpoints_->KeepOnly(step_));
  RETURN_IF_ERROR(Finish());
  context_.progress->End();
  return report_;
}

}  // namespace

absl::StatusOr<TrainReport> RunTraining(const TrainOptions& options, const TrainInputs& inputs, RunContext& context) {
  return Run(options, inputs, context).Execute();
}

Json ToJson(const TrainReport& report) {
  return {{"steps", report.steps},
          {"resumed_from", report.resumed_from},
          {"tokens", report.tokens},
          {"parameters", report.parameters},
          {"compute", report.compute},
          {"train_loss", report.train_loss},
          {"validation_loss", report.validation.loss},
          {"bits_per_byte", report.validation.bits_per_byte},
          {"validation_tokens", report.validation.tokens},
          {"validation_bytes", report.validation.bytes},
          {"training_seconds", report.training_seconds},
          {"tokens_per_second", report.tokens_per_second},
          {"flops_per_second", report.flops_per_second},
          {"peak_flops_per_second", report.peak_flops_per_second},
          {"share_of_peak", report.share_of_peak},
          {"peak_memory_bytes", report.peak_memory_bytes}};
}

}  // namespace rhodes
