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
#include "train/event_file.h"
#include "train/export.h"
#include "train/metrics.h"
#include "train/trouble.h"

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
        spikes_(options.spike_deviations) {}

  absl::StatusOr<TrainReport> Execute();

 private:
  absl::Status Prepare();
  absl::Status OpenLogs();
  absl::Status GoOnOrStart();
  absl::Status LoadStart();
  absl::Status OneStep();
  absl::StatusOr<double> ForwardBackward(int64_t batch);
  absl::Status Update(double norm, double rate);
  absl::Status AfterStep();
  absl::Status EvaluateOnTheWay();
  absl::StatusOr<Json> EvaluateSources(uint64_t tokens, bool overlap);
  absl::Status JudgeProgress(double validation_loss);
  absl::Status SamplePrompts(bool last);
  absl::Status TakeBest();
  absl::Status Finish();
  absl::Status Export();
  absl::Status HandleTrouble(const Trouble& trouble);
  absl::Status WriteDown(const Trouble& trouble, const std::string& directory);
  absl::Status GiveUp(const Trouble& trouble);
  absl::Status Report(const Json& line);
  absl::Status Checkpoint();
  absl::StatusOr<bool> AnyRank(bool value);
  Json progress() const;
  void Restore(const Json& progress);

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
  std::optional<MetricsLog> metrics_;
  std::optional<EventFile> events_;
  RouterStatistics router_;  // of the last step
  TrainPlan plan_;
  int64_t eval_every_ = 0;

  // Beside the arrays, what a checkpoint holds: steps done, batches left out, and what the judges remember.
  int64_t step_ = 0;
  BatchSequence batches_;
  SpikeDetector spikes_;
  bool rolled_back_to_ = false;      // the newest checkpoint: trouble came after it before
  std::optional<double> best_loss_;  // of the validation
  int64_t best_step_ = 0;
  int evaluations_without_gain_ = 0;

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
  const TrainMemory memory = MemoryOf(options_, context_.Threads(), ranks_.size());
  RETURN_IF_ERROR(memory.Check(context_.memory_bytes));
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

  const bool asynchronous = memory.copy_needed || memory.total() + memory.checkpoint_copy <= context_.memory_bytes;
  checkpoints_.emplace(options_.out + "/checkpoints", options_.key, options_.keep_checkpoints, asynchronous);
  if (ranks_.root()) {
    const StateMap& map = parallel_->optimizer().map();
    checkpoints_->Reserve(static_cast<size_t>(2 * map.m_size + map.v_size));
  }
  if (options_.patience > 0) {
    best_checkpoint_.emplace(options_.out + "/checkpoints/best", options_.key, 2, false);
  }
  RETURN_IF_ERROR(GoOnOrStart());
  rolled_back_to_ = false;
  report_.resumed_from = step_;
  if (step_ > 0) {
    context_.progress->Say(fmt::format("train: going on from the checkpoint of step {} of {}", step_, plan_.steps));
  }
  return OpenLogs();
}

absl::Status Run::OpenLogs() {
  if (!ranks_.root()) return absl::OkStatus();
  ASSIGN_OR_RETURN(MetricsLog log, MetricsLog::Open(options_.out + "/metrics.jsonl", step_, options_.on_metrics_line));
  metrics_.emplace(std::move(log));
  if (!options_.event_dir.empty()) {
    ASSIGN_OR_RETURN(EventFile events, EventFile::Create(options_.event_dir, step_));
    events_.emplace(std::move(events));
  }
  return absl::OkStatus();
}

// A line of the metrics, and its numbers and texts as events.
absl::Status Run::Report(const Json& line) {
  if (!ranks_.root()) return absl::OkStatus();
  RETURN_IF_ERROR(metrics_->Append(line));
  if (!events_) return absl::OkStatus();
  const int64_t step = line.value("step", int64_t{0});
  if (line.contains("sample")) {
    return events_->Text(step, "sample/" + line.value("prompt", ""), line.value("sample", ""));
  }
  if (line.contains("trouble")) return events_->Text(step, "trouble", DumpJson(line));
  if (line.value("final", false)) {
    for (const char* name : {"validation_loss", "bits_per_byte"}) {
      RETURN_IF_ERROR(events_->Scalar(step, std::string("final/") + name, line.value(name, 0.0)));
    }
    return absl::OkStatus();
  }
  const bool of_step = line.contains("loss");
  for (const auto& [name, value] : line.items()) {
    if (name == "step") continue;
    if (value.is_number()) {
      RETURN_IF_ERROR(events_->Scalar(step, (of_step ? "train/" : "validation/") + name, value.get<double>()));
    } else if (name == "validation_by_source") {
      for (const auto& [source, of] : value.items()) {
        RETURN_IF_ERROR(events_->Scalar(step, "validation_loss/" + source, of["loss"].get<double>()));
      }
    } else if (name == "expert_load") {
      RETURN_IF_ERROR(WriteExpertLoad(*events_, step, value));
    }
  }
  return absl::OkStatus();
}

Json Run::progress() const {
  Json json = {{"spikes", spikes_.ToJson()}};
  if (!batches_.skipped().empty()) json["skipped"] = batches_.skipped();
  if (rolled_back_to_) json["rolled_back_to"] = true;
  if (best_loss_) {
    json["best"] = {{"loss", *best_loss_}, {"step", best_step_}, {"evaluations_since", evaluations_without_gain_}};
  }
  return json;
}

void Run::Restore(const Json& progress) {
  spikes_.Restore(progress.value("spikes", Json()));
  batches_.Restore(progress.value("skipped", std::vector<int64_t>()));
  rolled_back_to_ = progress.value("rolled_back_to", false);
  const Json best = progress.value("best", Json::object());
  best_loss_.reset();
  if (best.contains("loss")) best_loss_ = best["loss"].get<double>();
  best_step_ = best.value("step", int64_t{0});
  evaluations_without_gain_ = best.value("evaluations_since", 0);
}

// From the newest whole checkpoint, or from the beginning.
absl::Status Run::GoOnOrStart() {
  ASSIGN_OR_RETURN(const std::optional<LoadedCheckpoint> found, parallel_->LoadNewest(*checkpoints_, context_));
  if (found) {
    step_ = found->step;
    Restore(found->progress);
    model_->CommitWeights();
    return absl::OkStatus();
  }
  step_ = 0;
  Restore(Json::object());
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
  RETURN_IF_ERROR(parallel_->Save(*checkpoints_, step_, progress()));
  const double stall = Since(begin);
  report_.checkpoint_stall_seconds += stall;
  if (options_.checkpoint_seconds > 0) checkpoint_pause_ = stall * kSecondsAStall;
  last_checkpoint_ = Clock::now();
  return absl::OkStatus();
}

absl::Status Run::GiveUp(const Trouble& trouble) {
  RETURN_IF_ERROR(parallel_->Save(*checkpoints_, step_, progress()));
  RETURN_IF_ERROR(checkpoints_->Wait());
  return absl::FailedPreconditionError(fmt::format(
      "train: step {}: loss {} and gradient norm {} are not numbers any more, after {} batches were left out; the "
      "state before this step is "
      "kept in {}/checkpoints. Try a lower learning rate (now {}), a longer warm-up (now {} of the steps) or "
      "computing in f32",
      trouble.step, trouble.loss, trouble.gradient_norm, batches_.skipped().size(), options_.out,
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
  RETURN_IF_ERROR(parallel_->Save(kept, step_, progress()));
  if (static_cast<int>(batches_.skipped().size()) >= options_.most_rollbacks) return GiveUp(trouble);

  std::vector<int64_t> skipped = batches_.skipped();
  skipped.push_back(trouble.batch);
  RETURN_IF_ERROR(checkpoints_->Wait());
  RETURN_IF_ERROR(GoOnOrStart());
  if (rolled_back_to_) {
    if (ranks_.root()) RETURN_IF_ERROR(checkpoints_->Remove(step_));
    RETURN_IF_ERROR(GoOnOrStart());
  }
  for (const int64_t batch : skipped) batches_.Skip(batch);
  rolled_back_to_ = true;
  RETURN_IF_ERROR(parallel_->Save(*checkpoints_, step_, progress()));
  RETURN_IF_ERROR(checkpoints_->Wait());
  rolled_back_to_ = false;  // it stands in that checkpoint alone
  metrics_.reset();
  RETURN_IF_ERROR(OpenLogs());
  RETURN_IF_ERROR(Report(Json{{"step", step_},
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
  const int64_t batch = batches_.BatchOf(step_);
  ASSIGN_OR_RETURN(const double nats, ForwardBackward(batch));
  ASSIGN_OR_RETURN(const DataParallel::Sums sums, parallel_->SumUp(nats));
  const double loss = sums.nats / static_cast<double>(step_tokens_);
  const double norm = sums.gradient_norm;
  const bool may_go_back = static_cast<int>(batches_.skipped().size()) < options_.most_rollbacks;
  const bool is_number = std::isfinite(loss) && std::isfinite(norm);
  if (std::string reason = spikes_.Judge(loss, norm); !reason.empty() && (may_go_back || !is_number)) {
    return HandleTrouble({step_ + 1, batch, loss, norm, spikes_.median(), spikes_.deviation(), std::move(reason)});
  }
  const double rate = LearningRate(options_.schedule, step_, plan_.steps);
  RETURN_IF_ERROR(Update(norm, rate));
  spikes_.Add(loss);
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
  Json line = {{"step", step.step},
               {"loss", step.loss},
               {"learning_rate", step.learning_rate},
               {"gradient_norm", step.gradient_norm},
               {"tokens", step.tokens},
               {"tokens_per_second", step.tokens_per_second},
               {"share_of_peak", step.share_of_peak}};
  AddRouterFigures(router_, options_.router_z_loss > 0, line);
  RETURN_IF_ERROR(Report(line));
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
    RETURN_IF_ERROR(Report(line));
    context_.progress->Say(fmt::format("step {}: {}", step_, text));
  }
  return absl::OkStatus();
}

// {name: {"loss", "bits_per_byte"}} on `tokens` tokens of each source (0: all).
absl::StatusOr<Json> Run::EvaluateSources(uint64_t tokens, bool overlap) {
  Json by_source = Json::object();
  for (const auto& [name, shards] : inputs_.validation_by_source) {
    ASSIGN_OR_RETURN(const Evaluation e, Evaluate(*model_, *shards, *inputs_.tokenizer, tokens, options_.context,
                                                  overlap, context_, &ranks_));
    by_source[name] = {{"loss", e.loss}, {"bits_per_byte", e.bits_per_byte}, {"tokens", e.tokens}};
  }
  return by_source;
}

absl::Status Run::EvaluateOnTheWay() {
  if (inputs_.validation == nullptr) return SamplePrompts(false);
  const uint64_t tokens = static_cast<uint64_t>(options_.eval_tokens);
  ASSIGN_OR_RETURN(const Evaluation e, Evaluate(*model_, *inputs_.validation, *inputs_.tokenizer, tokens,
                                                options_.context, false, context_, &ranks_));
  Json line = {{"step", step_}, {"validation_loss", e.loss}, {"bits_per_byte", e.bits_per_byte}};
  const size_t sources = inputs_.validation_by_source.size();
  if (sources > 0) {
    ASSIGN_OR_RETURN(line["validation_by_source"], EvaluateSources(std::max<uint64_t>(1, tokens / sources), false));
  }
  if (!router_.empty()) line["expert_load"] = ExpertLoad(router_);
  RETURN_IF_ERROR(Report(line));
  context_.progress->Say(fmt::format("step {} of {}: validation loss {:.4f}, {:.4f} bits per byte{}", step_,
                                     plan_.steps, e.loss, e.bits_per_byte, DescribeExpertLoad(router_)));
  RETURN_IF_ERROR(SamplePrompts(false));
  return options_.patience > 0 ? JudgeProgress(e.loss) : absl::OkStatus();
}

absl::Status Run::JudgeProgress(double validation_loss) {
  if (best_loss_ && validation_loss > *best_loss_ - options_.least_improvement) {
    ++evaluations_without_gain_;
    return absl::OkStatus();
  }
  best_loss_ = validation_loss;
  best_step_ = step_;
  evaluations_without_gain_ = 0;
  RETURN_IF_ERROR(parallel_->Save(*best_checkpoint_, step_, progress()));
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

absl::StatusOr<bool> Run::AnyRank(bool value) {
  double count = value ? 1 : 0;
  RETURN_IF_ERROR(ranks_.Sum({&count, 1}));
  return count > 0;
}

// After an early stop: the weights of the best evaluation.
absl::Status Run::TakeBest() {
  report_.stopped_early = true;
  context_.progress->Say(
      fmt::format("train: stopped at step {} of {}: no better validation loss than {:.4f} of step {} in {} evaluations",
                  step_, plan_.steps, *best_loss_, best_step_, evaluations_without_gain_));
  ASSIGN_OR_RETURN(const std::optional<LoadedCheckpoint> found, parallel_->LoadNewest(*best_checkpoint_, context_));
  if (!found || found->step != best_step_) {
    return absl::DataLossError(
        fmt::format("train: {}/checkpoints/best does not hold the state of step {}", options_.out, best_step_));
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
      ASSIGN_OR_RETURN(report_.validation_by_source, EvaluateSources(tokens, true));
    }
  }
  RETURN_IF_ERROR(SamplePrompts(true));
  report_.steps = step_;
  report_.tokens = step_ * step_tokens_;
  report_.skipped_batches = batches_.skipped();
  if (!ranks_.root()) return absl::OkStatus();
  const std::string metrics = options_.out + "/metrics.jsonl";
  const int64_t last_tenth = step_ - std::max<int64_t>(1, step_ / 10);
  ASSIGN_OR_RETURN(report_.train_loss, MeanAfter(metrics, "loss", last_tenth));
  ASSIGN_OR_RETURN(report_.router, RouterReportAfter(metrics, last_tenth));
  report_.training_seconds = metrics_->training_seconds();
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
  if (report_.stopped_early) manifest.counts["weights_of_step"] = best_step_;
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
  RETURN_IF_ERROR(Report(last));
  return staged.Commit();
}

absl::StatusOr<TrainReport> Run::Execute() {
  RETURN_IF_ERROR(Prepare());
  context_.progress->Begin("train", static_cast<uint64_t>(plan_.steps * step_tokens_), "tokens");
  last_checkpoint_ = Clock::now();
  const auto patient = [&] { return options_.patience <= 0 || evaluations_without_gain_ < options_.patience; };
  while (step_ < plan_.steps && patient()) {
    ASSIGN_OR_RETURN(const bool cancelled, AnyRank(!context_.CheckCancelled().ok()));
    if (cancelled) {
      RETURN_IF_ERROR(Checkpoint());
      RETURN_IF_ERROR(checkpoints_->Wait());
      RETURN_IF_ERROR(ranks_.Barrier());  // it is written
      return InterruptedError();
    }
    RETURN_IF_ERROR(OneStep());
  }
  // The last state stays: a longer run may start from it, and a kill during what follows does not cost the training.
  if (report_.resumed_from != step_) RETURN_IF_ERROR(parallel_->Save(*checkpoints_, step_, progress()));
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
  return Run(options, inputs, context).Execute();
}

Json ToJson(const TrainReport& report) {
  Json json = {{"steps", report.steps},
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
               {"checkpoint_stall_seconds", report.checkpoint_stall_seconds},
               {"tokens_per_second", report.tokens_per_second},
               {"flops_per_second", report.flops_per_second},
               {"peak_flops_per_second", report.peak_flops_per_second},
               {"share_of_peak", report.share_of_peak},
               {"peak_memory_bytes", report.peak_memory_bytes}};
  if (!report.validation_by_source.empty()) json["validation_by_source"] = report.validation_by_source;
  if (!report.skipped_batches.empty()) json["skipped_batches"] = report.skipped_batches;
  if (report.stopped_early) json["stopped_early"] = true;
  if (report.router) AddRouterReport(*report.router, json);
  return json;
}

}  // namespace rhodes
