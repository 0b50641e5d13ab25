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
#include "train/data_parallel.h"
#include "train/estimate.h"
#include "train/evaluate.h"
#include "train/export.h"
#include "train/metrics.h"
#include "train/router_report.h"
#include "train/run_progress.h"
#include "train/training_log.h"

namespace rhodes {
namespace {

using Clock = std::chrono::steady_clock;
double Since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

// Seconds between checkpoints for each second that training waited for the last one: under 2 % in all.
constexpr double kSecondsAStall = 60;

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
        ranks_(options.ranks == nullptr ? alone_ : *options.ranks),
        sequences_(SequencesOf(options.batch, ranks_.rank(), ranks_.size())),
        batch_(sequences_.count(), options.context),
        step_tokens_(options.batch * options.context * options.accumulation),
        progress_(options.spike_deviations) {}

  absl::StatusOr<TrainReport> Execute();

 private:
  absl::Status Prepare();
  absl::Status GoOnOrStart();
  absl::Status LoadStart();
  absl::Status OneStep();
  absl::StatusOr<double> ForwardBackward(int64_t batch);
  absl::Status Update(double norm, double rate);
  absl::Status AfterStep();
  absl::Status EvaluateOnTheWay();
  absl::Status SamplePrompts(bool last);
  absl::Status TakeBest();
  absl::Status Finish();
  absl::Status Export();
  absl::Status HandleTrouble(const Trouble& trouble);
  absl::Status WriteDown(const Trouble& trouble, const std::string& directory);
  absl::Status GiveUp(const Trouble& trouble);
  absl::Status Checkpoint();

  const TrainOptions& options_;
  const TrainInputs& inputs_;
  RunContext& context_;
  Communicator alone_;
  Communicator& ranks_;
  const SequenceRange sequences_;  // of each batch: this rank's
  BatchBuffer batch_;
  const int64_t step_tokens_;

  std::unique_ptr<Model> model_;
  std::optional<DataParallel> parallel_;
  std::optional<Windows> windows_;
  std::optional<CheckpointStore> checkpoints_;
  std::optional<CheckpointStore> best_checkpoint_;  // with patience
  TrainingLog log_;                                 // open on rank 0
  RouterStatistics router_;                         // of the last step
  TrainPlan plan_;
  int64_t eval_every_ = 0;

  int64_t step_ = 0;  // steps done
  RunProgress progress_;

  Clock::time_point last_checkpoint_;
  double checkpoint_pause_ = 0;  // least seconds between checkpoints, so that stalls stay below 2 %
  double flops_per_token_ = 0;
  TrainReport report_;
};

absl::Status Run::Prepare() {
  ASSIGN_OR_RETURN(
      windows_, Windows::Create(*inputs_.train, inputs_.replay, inputs_.replay_share, options_.context, options_.seed));
  ModelOptions model_options = ModelOptionsOf(options_, context_.Threads());
  model_options.max_sequences = sequences_.count();
  const TrainMemory memory = MemoryOf(options_, context_.Threads(), ranks_.size(), ranks_.rank());
  ASSIGN_OR_RETURN(model_, Model::Create(options_.config, model_options));
  try {
    parallel_.emplace(ranks_, *model_, options_.optimizer);
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError(fmt::format(
        "train: {} bytes for the optimizer are not to be had; use a smaller model", memory.optimizer_state));
  }
  report_.compute = model_options.compute == ComputeType::kBf16 ? "bf16" : "f32";
  report_.parameters = model_->layout().count();
  report_.peak_flops_per_second = MeasurePeak(model_options.compute, model_options.threads, options_.peak_seconds);
  RETURN_IF_ERROR(ranks_.Sum({&report_.peak_flops_per_second, 1}));
  flops_per_token_ = TrainingFlopsPerToken(options_.config, options_.context);

  batch_.Fill(*windows_, static_cast<uint64_t>(sequences_.begin), inputs_.tokenizer->end_of_text());
  ASSIGN_OR_RETURN(plan_, MakePlan(options_, inputs_, *model_, batch_.view(), *parallel_, context_));
  eval_every_ = options_.eval_every != 0 ? options_.eval_every : std::max<int64_t>(1, plan_.steps / 10);

  const bool asynchronous = ranks_.size() > 1 || memory.total() + memory.checkpoint_copy <= context_.memory_bytes;
  checkpoints_.emplace(options_.out + "/checkpoints", options_.key, options_.keep_checkpoints, asynchronous);
  if (ranks_.root()) {
    const StateMap& map = parallel_->optimizer().map();
    RETURN_IF_ERROR(checkpoints_->Reserve(static_cast<size_t>(2 * map.m_size + map.v_size)));
  }
  if (options_.patience > 0) {
    best_checkpoint_.emplace(options_.out + "/checkpoints/best", options_.key, 2, false);
    if (ranks_.size() > 1) best_checkpoint_->BorrowRoom(*checkpoints_);
  }
  RETURN_IF_ERROR(GoOnOrStart());
  progress_.rolled_back_to = false;
  report_.resumed_from = step_;
  if (step_ > 0) {
    context_.progress->Say(fmt::format("train: going on from the checkpoint of step {} of {}", step_, plan_.steps));
  }
  return ranks_.root() ? log_.Open(options_, step_) : absl::OkStatus();
}

// From the newest whole checkpoint, or from the beginning.
absl::Status Run::GoOnOrStart() {
  ASSIGN_OR_RETURN(const std::optional<LoadedCheckpoint> found, parallel_->LoadNewest(*checkpoints_, context_));
  if (found) {
    step_ = found->step;
    progress_.Restore(found->progress);
    model_->CommitWeights();
    return absl::OkStatus();
  }
  step_ = 0;
  progress_.Restore(Json::object());
  parallel_->optimizer().Reset();
  return LoadStart();
}

// Random weights, or those of an earlier run with or without what its optimizer knew.
absl::Status Run::LoadStart() {
  if (!options_.start) {
    model_->Initialize(options_.seed, static_cast<float>(options_.deviation));
    return absl::OkStatus();
  }
  if (options_.start->checkpoints.empty()) {
    if (ranks_.root()) RETURN_IF_ERROR(LoadWeights(options_.start->model, *model_));
    return parallel_->ShareWeights();
  }
  CheckpointStore store(options_.start->checkpoints, options_.start->key, 1, false);
  if (ranks_.size() > 1) store.BorrowRoom(*checkpoints_);
  ASSIGN_OR_RETURN(const std::optional<LoadedCheckpoint> found, parallel_->LoadNewest(store, context_));
  if (!found) {
    return absl::NotFoundError(
        fmt::format("train: {} has no whole checkpoint to go on from", options_.start->checkpoints));
  }
  model_->CommitWeights();
  return absl::OkStatus();
}

absl::Status Run::Checkpoint() {
  const Clock::time_point begin = Clock::now();
  RETURN_IF_ERROR(parallel_->Save(*checkpoints_, step_, progress_.ToJson()));
  const double stall = Since(begin);
  report_.checkpoint_stall_seconds += stall;
  if (options_.checkpoint_seconds > 0) checkpoint_pause_ = stall * kSecondsAStall;
  last_checkpoint_ = Clock::now();
  return absl::OkStatus();
}

absl::Status Run::GiveUp(const Trouble& trouble) {
  RETURN_IF_ERROR(parallel_->Save(*checkpoints_, step_, progress_.ToJson()));
  RETURN_IF_ERROR(checkpoints_->Wait());
  RETURN_IF_ERROR(ranks_.Barrier());  // it is written; an error of one ends all
  return absl::FailedPreconditionError(fmt::format(
      "train: step {}: loss {} and gradient norm {} are not numbers any more, after {} batches were left out; the "
      "state before this step is "
      "kept in {}/checkpoints. Try a lower learning rate (now {}), a longer warm-up (now {} of the steps) or "
      "computing in f32",
      trouble.step, trouble.loss, trouble.gradient_norm, progress_.batches.skipped().size(), options_.out,
      options_.schedule.peak, options_.schedule.warmup_share));
}

// For people: what it was, its batch (of the last pass), its gradients' norms.
absl::Status Run::WriteDown(const Trouble& trouble, const std::string& directory) {
  RETURN_IF_ERROR(CreateDirectories(directory));
  Json described = DescribeTrouble(trouble, *model_);
  BatchBuffer batch(options_.batch, options_.context);
  const int64_t last_pass = (trouble.batch + 1) * options_.accumulation - 1;
  batch.Fill(*windows_, static_cast<uint64_t>(last_pass * options_.batch), inputs_.tokenizer->end_of_text());
  described["tokens"] = std::vector<uint32_t>(batch.view().tokens.begin(), batch.view().tokens.end());
  return WriteFileAtomically(directory + "/report.json", DumpJson(described) + "\n");
}

// Writes down what happened, goes back to the last checkpoint and leaves the batch out. As the step was not made, and
// the steps up to it come out as before, the run ends with the same bytes whichever checkpoint that was, killed on the
// way or not. A checkpoint that trouble came after twice is not trusted again.
absl::Status Run::HandleTrouble(const Trouble& trouble) {
  const std::string directory =
      fmt::format("{}/trouble/step-{:010}-batch-{}", options_.out, trouble.step, trouble.batch);
  RETURN_IF_ERROR(parallel_->GatherGradients());
  if (ranks_.root()) RETURN_IF_ERROR(WriteDown(trouble, directory));
  CheckpointStore kept(directory, options_.key, 1, false);
  if (ranks_.size() > 1) kept.BorrowRoom(*checkpoints_);
  RETURN_IF_ERROR(parallel_->Save(kept, step_, progress_.ToJson()));
  if (static_cast<int>(progress_.batches.skipped().size()) >= options_.most_rollbacks) return GiveUp(trouble);

  std::vector<int64_t> skipped = progress_.batches.skipped();
  skipped.push_back(trouble.batch);
  RETURN_IF_ERROR(checkpoints_->Wait());
  RETURN_IF_ERROR(GoOnOrStart());
  if (progress_.rolled_back_to) {
    if (ranks_.root()) RETURN_IF_ERROR(checkpoints_->Remove(step_));
    RETURN_IF_ERROR(GoOnOrStart());
  }
  for (const int64_t batch : skipped) progress_.batches.Skip(batch);
  progress_.rolled_back_to = true;
  RETURN_IF_ERROR(parallel_->Save(*checkpoints_, step_, progress_.ToJson()));
  RETURN_IF_ERROR(checkpoints_->Wait());
  progress_.rolled_back_to = false;  // it stands in that checkpoint alone
  if (ranks_.root()) RETURN_IF_ERROR(log_.Open(options_, step_));
  RETURN_IF_ERROR(log_.Write(Json{{"step", step_},
                                  {"trouble", trouble.reason},
                                  {"at_step", trouble.step},
                                  {"skipped_batch", trouble.batch},
                                  {"state", directory}}));
  context_.progress->Say(
      fmt::format("train: step {}: {} (loss {:.4f} after {:.4f}, gradient norm {:.3f}): back to step {}, "
                  "batch {} is left "
                  "out; the state is in {}",
                  trouble.step, trouble.reason, trouble.loss, trouble.median, trouble.gradient_norm, step_,
                  trouble.batch, directory));
  return absl::OkStatus();
}

// All passes of a step over batch `batch` of the run: nats of this rank's sequences, and the gradients of its shares in
// the model.
absl::StatusOr<double> Run::ForwardBackward(int64_t batch) {
  double nats = 0;
  for (int64_t pass = 0; pass < options_.accumulation; ++pass) {
    const int64_t first = (batch * options_.accumulation + pass) * options_.batch + sequences_.begin;
    batch_.Fill(*windows_, static_cast<uint64_t>(first), inputs_.tokenizer->end_of_text());
    ASSIGN_OR_RETURN(const double sum,
                     parallel_->ForwardBackward(batch_.view(), 1.0f / static_cast<float>(step_tokens_), pass > 0,
                                                pass + 1 == options_.accumulation));
    nats += sum;
  }
  RETURN_IF_ERROR(parallel_->FinishGradients());
  if (inputs_.after_backward) inputs_.after_backward(batch, model_->gradients());
  return nats;
}

absl::Status Run::Update(double norm, double rate) {
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
  MuonSettings muon;
  muon.learning_rate = static_cast<float>(rate / options_.schedule.peak * options_.muon_learning_rate);
  muon.momentum = static_cast<float>(options_.muon_momentum);
  muon.decay = adamw.decay;
  muon.gradient_factor = adamw.gradient_factor;
  return parallel_->Step(adamw, muon);
}

absl::Status Run::OneStep() {
  const Clock::time_point begin = Clock::now();
  const int64_t batch = progress_.batches.BatchOf(step_);
  ASSIGN_OR_RETURN(const double nats, ForwardBackward(batch));
  ASSIGN_OR_RETURN(const DataParallel::Sums sums, parallel_->SumUp(nats));
  const double loss = sums.nats / static_cast<double>(step_tokens_);
  const double norm = sums.gradient_norm;
  const bool may_go_back = static_cast<int>(progress_.batches.skipped().size()) < options_.most_rollbacks;
  const bool is_number = std::isfinite(loss) && std::isfinite(norm);
  if (std::string reason = progress_.spikes.Judge(loss, norm); !reason.empty() && (may_go_back || !is_number)) {
    return HandleTrouble(
        {step_ + 1, batch, loss, norm, progress_.spikes.median(), progress_.spikes.deviation(), std::move(reason)});
  }
  const double rate = LearningRate(options_.schedule, step_, plan_.steps);
  RETURN_IF_ERROR(Update(norm, rate));
  progress_.spikes.Add(loss);
  ++step_;

  const double seconds = Since(begin);
  StepReport step;
  step.step = step_;
  step.loss = loss;
  step.learning_rate = rate;
  step.gradient_norm = norm;
  step.tokens = step_ * step_tokens_;
  step.total_steps = plan_.steps;
  step.tokens_per_second = static_cast<double>(step_tokens_) / seconds;
  if (report_.peak_flops_per_second > 0) {
    step.share_of_peak = step.tokens_per_second * flops_per_token_ / report_.peak_flops_per_second;
  }
  router_ = sums.router;
  Json line = StepLine(step);
  AddRouterFigures(router_, options_.router_z_loss > 0, line);
  RETURN_IF_ERROR(log_.Write(line));
  step.expert_load_min = line.value("expert_load_min", 0.0);
  step.expert_load_max = line.value("expert_load_max", 0.0);
  if (options_.on_step && ranks_.root()) options_.on_step(step);
  context_.progress->Update(
      static_cast<uint64_t>(step.tokens),
      fmt::format("step {}/{} loss {:.3f} {:.0f} % of peak", step_, plan_.steps, loss, 100 * step.share_of_peak));
  return AfterStep();
}

// Lines of the last ones are marked: a run that was killed after them makes them again.
absl::Status Run::SamplePrompts(bool last) {
  if (!ranks_.root()) return absl::OkStatus();
  for (size_t i = 0; i < options_.sample_prompts.size(); ++i) {
    const std::string& prompt = options_.sample_prompts[i];
    ASSIGN_OR_RETURN(const std::string text, Sample(*model_, *inputs_.tokenizer, prompt, options_.sample_tokens,
                                                    options_.seed + static_cast<uint64_t>(step_) * 1000003u + i));
    Json line = {{"step", step_}, {"prompt", prompt}, {"sample", text}};
    if (last) line["final"] = true;
    RETURN_IF_ERROR(log_.Write(line));
    context_.progress->Say(fmt::format("step {}: {}", step_, text));
  }
  return absl::OkStatus();
}

absl::Status Run::EvaluateOnTheWay() {
  if (inputs_.validation == nullptr) return SamplePrompts(false);
  const uint64_t tokens = static_cast<uint64_t>(options_.eval_tokens);
  ASSIGN_OR_RETURN(const Evaluation e, Evaluate(*model_, *inputs_.validation, *inputs_.tokenizer, tokens,
                                                options_.context, false, context_, &ranks_));
  Json line = {{"step", step_}, {"validation_loss", e.loss}, {"bits_per_byte", e.bits_per_byte}};
  const size_t sources = inputs_.validation_by_source.size();
  if (sources > 0) {
    ASSIGN_OR_RETURN(line["validation_by_source"],
                     EvaluateEach(*model_, inputs_.validation_by_source, *inputs_.tokenizer,
                                  std::max<uint64_t>(1, tokens / sources), options_.context, false, context_, &ranks_));
  }
  if (!router_.empty()) line["expert_load"] = ExpertLoad(router_);
  RETURN_IF_ERROR(log_.Write(line));
  context_.progress->Say(fmt::format("step {} of {}: validation loss {:.4f}, {:.4f} bits per byte{}", step_,
                                     plan_.steps, e.loss, e.bits_per_byte, DescribeExpertLoad(router_)));
  RETURN_IF_ERROR(SamplePrompts(false));
  if (options_.patience <= 0 || !progress_.IsBest(e.loss, options_.least_improvement, step_)) return absl::OkStatus();
  RETURN_IF_ERROR(parallel_->Save(*best_checkpoint_, step_, progress_.ToJson()));
  return ranks_.root() ? best_checkpoint_->KeepOnly(step_) : absl::OkStatus();
}

absl::Status Run::AfterStep() {
  if (step_ == plan_.steps) return absl::OkStatus();
  // The evaluation goes before the checkpoint: a run that goes on from here does not make it again.
  if (eval_every_ > 0 && step_ % eval_every_ == 0) RETURN_IF_ERROR(EvaluateOnTheWay());
  const bool due = Since(last_checkpoint_) >= std::max(options_.checkpoint_seconds, checkpoint_pause_);
  ASSIGN_OR_RETURN(const bool all_due, ranks_.BroadcastValue(due));  // clocks differ
  return all_due ? Checkpoint() : absl::OkStatus();
}

// After an early stop: the weights of the best evaluation.
absl::Status Run::TakeBest() {
  report_.stopped_early = true;
  context_.progress->Say(
      fmt::format("train: stopped at step {} of {}: no better validation loss than {:.4f} of step {} in {} evaluations",
                  step_, plan_.steps, *progress_.best_loss, progress_.best_step, progress_.evaluations_without_gain));
  ASSIGN_OR_RETURN(const std::optional<LoadedCheckpoint> found, parallel_->LoadNewest(*best_checkpoint_, context_));
  if (!found || found->step != progress_.best_step) {
    return absl::DataLossError(fmt::format("train: {}/checkpoints/best does not hold the state of step {}",
                                           options_.out, progress_.best_step));
  }
  model_->CommitWeights();
  return absl::OkStatus();
}

absl::Status Run::Finish() {
  if (inputs_.validation != nullptr) {
    const uint64_t tokens = static_cast<uint64_t>(options_.final_eval_tokens);
    ASSIGN_OR_RETURN(report_.validation, Evaluate(*model_, *inputs_.validation, *inputs_.tokenizer, tokens,
                                                  options_.context, true, context_, &ranks_));
    if (!inputs_.validation_by_source.empty()) {
      ASSIGN_OR_RETURN(report_.validation_by_source,
                       EvaluateEach(*model_, inputs_.validation_by_source, *inputs_.tokenizer, tokens, options_.context,
                                    true, context_, &ranks_));
    }
  }
  RETURN_IF_ERROR(SamplePrompts(true));
  report_.steps = step_;
  report_.tokens = step_ * step_tokens_;
  report_.skipped_batches = progress_.batches.skipped();
  if (!ranks_.root()) return absl::OkStatus();
  ASSIGN_OR_RETURN(
      const std::vector<double> means,  // of the last tenth
      MeansAfter(options_.out + "/metrics.jsonl", {"loss", "router_aux_loss", "expert_load_min", "expert_load_max"},
                 step_ - std::max<int64_t>(1, step_ / 10)));
  report_.train_loss = means[0];
  if (means[3] > 0) report_.router = RouterReport{means[1], means[2], means[3]};
  report_.training_seconds = log_.training_seconds();
  if (report_.training_seconds > 0) {
    report_.tokens_per_second = static_cast<double>(report_.tokens) / report_.training_seconds;
    report_.flops_per_second = report_.tokens_per_second * flops_per_token_;
  }
  if (report_.peak_flops_per_second > 0) {
    report_.share_of_peak = report_.flops_per_second / report_.peak_flops_per_second;
  }
  return Export();
}

absl::Status Run::Export() {
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
  if (!report_.validation_by_source.empty()) {
    manifest.counts["validation_by_source"] = report_.validation_by_source;
  }
  if (!report_.skipped_batches.empty()) manifest.counts["skipped_batches"] = report_.skipped_batches;
  if (report_.stopped_early) manifest.counts["weights_of_step"] = progress_.best_step;
  if (report_.router) AddRouterReport(*report_.router, manifest.counts);
  manifest.seconds = report_.training_seconds;
  manifest.extra = options_.rights;
  ASSIGN_OR_RETURN(const std::vector<PartInfo> files,
                   DescribeFiles(staged.path(), {"config.json", "model.safetensors", "tokenizer.json"}));
  manifest.extra["files"] = PartsToJson(files);
  RETURN_IF_ERROR(WriteManifest(staged.path(), manifest));
  report_.peak_memory_bytes = PeakMemoryBytes();
  Json last = ToJson(report_);
  last["step"] = step_;
  last.erase("resumed_from");  // these would tell a run that was killed from one that was not
  last.erase("checkpoint_stall_seconds");
  last["final"] = true;
  RETURN_IF_ERROR(log_.Write(last));
  return staged.Commit();
}

absl::StatusOr<TrainReport> Run::Execute() {
  RETURN_IF_ERROR(Prepare());
  context_.progress->Begin("train", static_cast<uint64_t>(plan_.steps * step_tokens_), "tokens");
  last_checkpoint_ = Clock::now();
  const auto patient = [&] { return options_.patience <= 0 || progress_.evaluations_without_gain < options_.patience; };
  while (step_ < plan_.steps && patient()) {
    ASSIGN_OR_RETURN(const bool cancelled, ranks_.Any(!context_.CheckCancelled().ok()));
    if (cancelled) {
      RETURN_IF_ERROR(Checkpoint());
      RETURN_IF_ERROR(checkpoints_->Wait());
      RETURN_IF_ERROR(ranks_.Barrier());  // it is written
      return InterruptedError();
    }
    RETURN_IF_ERROR(OneStep());
  }
  // The last state stays: a longer run may start from it, and a kill during what follows does not cost the training.
  if (report_.resumed_from != step_) RETURN_IF_ERROR(parallel_->Save(*checkpoints_, step_, progress_.ToJson()));
  RETURN_IF_ERROR(checkpoints_->Wait());
  if (ranks_.root()) RETURN_IF_ERROR(checkpoints_->KeepOnly(step_));
  if (!patient()) RETURN_IF_ERROR(TakeBest());
  RETURN_IF_ERROR(Finish());
  context_.progress->End();
  RETURN_IF_ERROR(ranks_.Barrier());  // the model is written
  return report_;
}

}  // namespace

absl::StatusOr<TrainReport> RunTraining(const TrainOptions& options, const TrainInputs& inputs, RunContext& context) {
  // Before the first buffer.
  RETURN_IF_ERROR(CheckMemory(options, context.Threads(), context.memory_bytes));
  return Run(options, inputs, context).Execute();
}

}  // namespace rhodes
