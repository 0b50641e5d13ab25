#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

#include "base/file.h"
#include "base/hash.h"
#include "command.h"
#include "model/model_files.h"
#include "on_ranks.h"
#include "project/out_lock.h"
#include "project/rights.h"
#include "token/tokenizer.h"
#include "train/estimate.h"
#include "train/train.h"
#include "training_view.h"

namespace rhodes {
namespace {

struct TrainFlags {
  const CLI::App* app = nullptr;
  TrainOptions options;
  std::string config;
  std::string preset;
  std::string from;
  std::string optimizer = "adamw";
  std::string schedule = "wsd";
  std::string compute = "auto";
  std::string rights_override;
  bool resume = false;
  bool estimate = false;
  int ranks = 1;  // that an estimate is of
  bool no_events = false;
};

// What a run may hold when the user says nothing: training is what the machine is there for, so most of what is free.
constexpr double kShareOfFreeMemory = 0.9;

uint64_t FreeMemory() {
  const absl::StatusOr<std::string> text = ReadFile("/proc/meminfo");
  unsigned long kilobytes = 0;
  const char* line = text.ok() ? std::strstr(text->c_str(), "MemAvailable:") : nullptr;
  if (line == nullptr || std::sscanf(line, "MemAvailable: %lu kB", &kilobytes) != 1) return 0;
  return uint64_t{kilobytes} * 1024;
}

// Shards that came out of OUT/corpus know their sources, and OUT/records what may be done with those.
absl::Status CheckRights(const std::string& reason, TrainOptions& options) {
  ASSIGN_OR_RETURN(const std::vector<std::string> sources, SourcesOfShards(options.shards_dir));
  const std::string out = std::filesystem::path(options.shards_dir).lexically_normal().parent_path().string();
  ASSIGN_OR_RETURN(options.rights, TrainingRights(out.empty() ? "." : out, sources, reason));
  return absl::OkStatus();
}

// Of model.safetensors, or of all the files that the weights are spread over.
absl::StatusOr<std::string> HashWeights(const std::string& folder) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, ModelFileNames(folder));
  std::string all;
  for (const std::string& name : names) {
    ASSIGN_OR_RETURN(const std::string hash, Sha256OfFile(folder + "/" + name));
    all += hash;
  }
  return all;
}

// The shape of the model: of a file, of a model to go on from, or a known one.
absl::Status ReadShape(const TrainFlags& own, TrainOptions& options) {
  const int shapes = int{!own.config.empty()} + int{!own.preset.empty()} + int{!own.from.empty()};
  if (shapes > 1) return UsageError("train: give one of --config, --preset and --from: each says the model's shape");
  if (!own.from.empty()) {
    if (std::filesystem::is_regular_file(own.from)) {
      return UsageError(fmt::format("train: --from {} is no folder; make one of it first: rhodes import {} --out DIR",
                                    own.from, own.from));
    }
    ASSIGN_OR_RETURN(options.config, ModelConfig::Load(own.from + "/config.json"));
    if (options.tokenizer.empty()) options.tokenizer = own.from + "/tokenizer.json";
    ASSIGN_OR_RETURN(const std::string hash, HashWeights(own.from));
    options.start = TrainOptions::Start{"", hash, 0, own.from};
  } else if (!own.config.empty()) {
    ASSIGN_OR_RETURN(options.config, ModelConfig::Load(own.config));
  } else {
    ASSIGN_OR_RETURN(options.config, PresetConfig(own.preset.empty() ? "14m" : own.preset));
    options.config.max_positions = options.context;
    if (!own.estimate || !options.tokenizer.empty()) options.config.vocabulary_size = 0;  // the tokenizer's
  }
  return absl::OkStatus();
}

absl::StatusOr<TrainOptions> OptionsOf(const TrainFlags& own) {
  TrainOptions options = own.options;
  RETURN_IF_ERROR(ReadShape(own, options));
  ASSIGN_OR_RETURN(options.schedule.kind, ParseSchedule(own.schedule));
  ASSIGN_OR_RETURN(options.optimizer, ParseOptimizer(own.optimizer));
  options.compute = own.compute == "bf16"  ? TrainOptions::Compute::kBf16
                    : own.compute == "f32" ? TrainOptions::Compute::kF32
                                           : TrainOptions::Compute::kAuto;
  options.existing = own.resume ? TrainOptions::Existing::kResume : TrainOptions::Existing::kRefuse;
  options.evaluate_sources = true;
  if (!own.no_events) options.event_dir = options.out + "/events";
  return options;
}

double Gigabytes(const Json& bytes) { return bytes.get<double>() * 1e-9; }

void PrintMemory(const Json& e) {
  const Json& memory = e["memory_bytes"];
  const char* refused = e["fits"].get<bool>() ? "" : ": the run would be refused";
  if (!e.contains("memory_bytes_of_others")) {
    std::printf("memory       %.2f GB of %.2f GB allowed%s\n", Gigabytes(memory["total"]),
                Gigabytes(e["memory_allowed_bytes"]), refused);
    for (const auto& [kind, bytes] : memory.items()) {
      if (kind != "total") std::printf("  %-16s %8.3f GB\n", kind.c_str(), Gigabytes(bytes));
    }
    return;
  }
  const Json& others = e["memory_bytes_of_others"];
  const int ranks = e["ranks"].get<int>();
  std::printf("memory       rank 0 %.2f GB, each of the %d others up to %.2f GB, all %.2f GB; %.2f GB allowed here%s\n",
              Gigabytes(memory["total"]), ranks - 1, Gigabytes(others["total"]),
              Gigabytes(memory["total"]) + (ranks - 1) * Gigabytes(others["total"]),
              Gigabytes(e["memory_allowed_bytes"]), refused);
  std::printf("  %-16s %11s %11s\n", "", "rank 0", "another");
  for (const auto& [kind, bytes] : memory.items()) {
    if (kind == "total") continue;
    std::printf("  %-16s %8.3f GB %8.3f GB\n", kind.c_str(), Gigabytes(bytes), Gigabytes(others[kind]));
  }
}

absl::Status Estimate(TrainOptions options, int planned, const CommonFlags& flags, RunContext& context) {
  if (options.config.vocabulary_size == 0) {
    ASSIGN_OR_RETURN(const std::unique_ptr<Tokenizer> tokenizer, Tokenizer::Load(options.tokenizer));
    options.config.vocabulary_size = tokenizer->vocabulary_size();
  }
  ASSIGN_OR_RETURN(const Json e, EstimateTraining(options, context, planned));
  if (options.ranks != nullptr && !options.ranks->root()) return absl::OkStatus();
  if (flags.json) {
    PrintJson(e);
    return absl::OkStatus();
  }
  std::printf("parameters   %.2f M, %.2f M of them in products; %s, %s\n", e["parameters"].get<double>() * 1e-6,
              e["product_parameters"].get<double>() * 1e-6, e["compute"].get<std::string>().c_str(),
              e["optimizer"].get<std::string>().c_str());
  std::printf("work         %.1f MFLOP a token (%s)\n", e["flops_per_token"].get<double>() * 1e-6,
              e["formula"].get<std::string>().c_str());
  PrintMemory(e);
  if (planned > 1)
    std::printf("speed        measured under mpirun: mpirun -np %d rhodes train --estimate ...\n", planned);
  if (e["tokens_per_second"].is_null()) return absl::OkStatus();
  std::printf("speed        %.0f tokens/s, %.0f GFLOP/s, %.1f %% of the measured peak of %.0f GFLOP/s\n",
              e["tokens_per_second"].get<double>(), e["flops_per_second"].get<double>() * 1e-9,
              e["share_of_peak"].get<double>() * 100, e["peak_flops_per_second"].get<double>() * 1e-9);
  if (e["seconds"].is_null()) return absl::OkStatus();
  std::printf("time         %.0f s for %ld steps, %ld tokens\n", e["seconds"].get<double>(), e["steps"].get<long>(),
              e["tokens"].get<long>());
  return absl::OkStatus();
}

void Print(const TrainOptions& options, const TrainReport& report) {
  std::printf("model        %s/model (%.2f M parameters, %s)\n", options.out.c_str(),
              static_cast<double>(report.parameters) * 1e-6, report.compute.c_str());
  std::printf("steps        %ld, %ld tokens%s\n", static_cast<long>(report.steps), static_cast<long>(report.tokens),
              report.stopped_early ? "; stopped early, the weights are those of the best evaluation" : "");
  if (!report.skipped_batches.empty()) {
    std::printf("trouble      %zu batches left out; see %s/trouble\n", report.skipped_batches.size(),
                options.out.c_str());
  }
  std::printf("loss         train %.4f, validation %.4f\n", report.train_loss, report.validation.loss);
  std::printf("held out     %.4f bits per byte over %lu bytes\n", report.validation.bits_per_byte,
              static_cast<unsigned long>(report.validation.bytes));
  for (const auto& [source, of] : report.validation_by_source.items()) {
    std::printf("  %-16s %.4f bits per byte\n", source.c_str(), of["bits_per_byte"].get<double>());
  }
  if (report.router) {
    std::printf("experts      take %.1f %% to %.1f %% of a layer's choices, auxiliary loss %.3f\n",
                100 * report.router->load_min, 100 * report.router->load_max, report.router->aux_loss);
  }
  std::printf("speed        %.0f tokens/s, %.0f GFLOP/s, %.1f %% of the measured peak of %.0f GFLOP/s\n",
              report.tokens_per_second, report.flops_per_second * 1e-9, report.share_of_peak * 100,
              report.peak_flops_per_second * 1e-9);
  if (report.training_seconds > 0 && report.resumed_from == 0) {
    std::printf("checkpoints  training waited %.2f s for them, %.2f %% of its time\n", report.checkpoint_stall_seconds,
                report.checkpoint_stall_seconds / report.training_seconds * 100);
  }
  std::printf("memory       %.2f GB at most\n", static_cast<double>(report.peak_memory_bytes) * 1e-9);
}

// `mpi` is null in a process that is alone.
absl::Status TrainHere(const TrainFlags& own, const CommonFlags& flags, RunContext& context, MpiRanks* mpi) {
  ASSIGN_OR_RETURN(TrainOptions options, OptionsOf(own));
  if (own.app->get_option("--memory")->count() == 0) {
    const auto most_of_free = static_cast<uint64_t>(kShareOfFreeMemory * static_cast<double>(FreeMemory()));
    context.memory_bytes = std::max(context.memory_bytes, most_of_free);
    if (mpi != nullptr) options.machine = {mpi->local_size(), mpi->local_root()};
  }
  if (mpi != nullptr) options.ranks = &mpi->communicator();
  if (own.app->get_option("--ranks")->count() > 0 && (!own.estimate || mpi != nullptr)) {
    return UsageError(
        "train: --ranks is of --estimate in one process; to train on several start them with mpirun or srun");
  }
  if (own.estimate) return Estimate(options, own.ranks, flags, context);
  if (options.tokenizer.empty() || options.shards_dir.empty() || options.out.empty()) {
    return UsageError("train: --tokenizer, --shards and --out are needed (--estimate does without)");
  }
  RETURN_IF_ERROR(CheckRights(own.rights_override, options));
  TrainingView view;
  const bool prints = mpi == nullptr || mpi->communicator().root();
  std::optional<OutLock> lock;  // of the rank that writes
  if (prints) {
    ASSIGN_OR_RETURN(OutLock held, OutLock::Acquire(options.out));
    lock.emplace(std::move(held));
  }
  if (!prints) {
    context.progress = &SilentProgress();
  } else if (flags.json) {
    options.on_metrics_line = [](const Json& line) {
      PrintJson(line);
      std::fflush(stdout);
    };
  } else if (!flags.quiet && TrainingView::Suits()) {
    context.progress = &view;
    options.on_step = [&view](const StepReport& step) { view.Add(step); };
  }
  const absl::StatusOr<TrainReport> report = Train(options, context);
  view.End();
  RETURN_IF_ERROR(report.status());
  if (prints && !flags.json) Print(options, *report);  // with --json the last line of the metrics is the report
  return absl::OkStatus();
}

absl::Status Run(const TrainFlags& own, const CommonFlags& flags, RunContext& context) {
  return RunOnRanks("train", context, [&](MpiRanks* mpi) { return TrainHere(own, flags, context, mpi); });
}

void AddRecipe(CLI::App& app, TrainFlags& own) {
  TrainOptions& o = own.options;
  app.add_option("--optimizer", own.optimizer, "adamw; or muon for the layers' matrices, with adamw for the rest")
      ->check(CLI::IsMember({"adamw", "muon"}))
      ->capture_default_str();
  app.add_option("--learning-rate", o.schedule.peak, "peak learning rate")->capture_default_str();
  app.add_option("--muon-learning-rate", o.muon_learning_rate, "peak of Muon's; same schedule")->capture_default_str();
  app.add_option("--muon-momentum", o.muon_momentum, "Muon's momentum")->capture_default_str();
  app.add_option("--schedule", own.schedule, "constant, cosine or wsd (warm-up, stable, linear decay)")
      ->check(CLI::IsMember({"constant", "cosine", "wsd"}))
      ->capture_default_str();
  app.add_option("--warmup", o.schedule.warmup_share, "share of the steps that warm up")->capture_default_str();
  app.add_option("--decay", o.schedule.decay_share, "share of the steps that decay (wsd)")->capture_default_str();
  app.add_option("--final", o.schedule.final_share, "learning rate at the end, share of the peak")
      ->capture_default_str();
  app.add_option("--weight-decay", o.weight_decay, "of matrices")->capture_default_str();
  app.add_option("--beta1", o.beta1, "AdamW's first moment")->capture_default_str();
  app.add_option("--beta2", o.beta2, "AdamW's second moment")->capture_default_str();
  app.add_option("--clip", o.clip, "most norm of the gradient; 0: no limit")->capture_default_str();
  app.add_option("--accumulation", o.accumulation, "batches a step")->capture_default_str();
  app.add_option("--router-aux-loss", o.router_aux_loss,
                 fmt::format("of a mixture of experts: coefficient of the loss that evens out their load; 0: none "
                             "(default: router_aux_loss_coef of the config, or {})",
                             kRouterAuxLoss));
  app.add_option("--router-z-loss", o.router_z_loss,
                 "likewise: coefficient of the loss that keeps the router's logits small; 0: none")
      ->capture_default_str();
  app.add_flag("--recompute", o.recompute,
               "make activations again in the backward pass: the same result with less memory and more work");
  app.add_option("--compute", own.compute, "auto, bf16 or f32; auto: bf16 where the processor has it")
      ->check(CLI::IsMember({"auto", "bf16", "f32"}))
      ->capture_default_str();
}

void AddWatching(CLI::App& app, TrainFlags& own) {
  TrainOptions& o = own.options;
  app.add_option("--eval-every", o.eval_every, "steps between evaluations; 0: ten in all; -1: only at the end")
      ->check(CLI::Range(int64_t{-1}, int64_t{1} << 40))
      ->capture_default_str();
  app.add_option("--eval-tokens", o.eval_tokens, "validation tokens of an evaluation on the way")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 40))
      ->capture_default_str();
  app.add_option("--sample", o.sample_prompts, "text to continue at each evaluation; may be given several times");
  app.add_option("--patience", o.patience,
                 "stop after so many evaluations without a better validation loss, and keep the best; 0: never")
      ->capture_default_str();
  app.add_option("--least-improvement", o.least_improvement, "nats that count as better, for --patience")
      ->capture_default_str();
  app.add_option("--checkpoint-seconds", o.checkpoint_seconds, "seconds between checkpoints; 0: at each step")
      ->check(CLI::Range(0.0, 1e9))
      ->capture_default_str();
  app.add_option("--keep", o.keep_checkpoints, "checkpoints kept while training")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--spike", o.spike_deviations,
                 "a loss this many deviations (and a nat) above the last ones is trouble: back to the last checkpoint, "
                 "the batch is left out; 0: only a loss that is no number")
      ->capture_default_str();
  app.add_option("--rollbacks", o.most_rollbacks, "most times that the run goes back after trouble")
      ->capture_default_str();
  app.add_flag("--no-events", own.no_events, "no TensorBoard event files in OUT/events");
}

CommandBody Setup(CLI::App& app) {
  auto own = std::make_shared<TrainFlags>();
  own->app = &app;
  TrainOptions& o = own->options;
  app.add_option("--config", own->config, "shape of the model: config.json in Hugging Face's keys");
  app.add_option("--preset", own->preset,
                 fmt::format("or a known shape: {} (default 14m), with the tokenizer's vocabulary",
                             fmt::join(PresetNames(), ", ")));
  app.add_option("--from", own->from, "or a model directory: its shape, and its weights to begin with");
  app.add_option("--tokenizer", o.tokenizer, "tokenizer.json that the shards were made with (default: of --from)");
  app.add_option("--shards", o.shards_dir, "directory of train-*.bin and validation-*.bin");
  app.add_option("--out", o.out, "receives model/, checkpoints/, events/ and metrics.jsonl");
  app.add_flag(
      "--resume", own->resume,
      "go on with the run in OUT, also with another budget, schedule or watch; begins one where there is none");
  app.add_flag(
      "--estimate", own->estimate,
      "train nothing: print parameters, memory by kind, work a token, speed and time, measured in a few steps");
  app.add_option(
         "--ranks", own->ranks,
         "with --estimate: memory of each of so many processes that share the batch; under mpirun it is measured")
      ->check(CLI::Range(1, 1 << 16));
  app.add_option("--rights-override", own->rights_override,
                 "why the model may be trained on sources whose rights do not allow it; goes into its manifest");
  app.add_option("--steps", o.steps, "budget: optimizer steps");
  app.add_option("--tokens", o.tokens, "budget: training tokens");
  app.add_option("--minutes", o.minutes, "budget: wall time, made a number of steps at the start");
  app.add_option("--batch", o.batch, "sequences a batch")->capture_default_str();
  app.add_option("--context", o.context, "tokens a sequence")->capture_default_str();
  app.add_option("--seed", o.seed, "of the initial weights, the data's order and the samples")->capture_default_str();
  AddRecipe(app, *own);
  AddWatching(app, *own);
  return [own](const CommonFlags& flags, RunContext& context) { return Run(*own, flags, context); };
}

const CommandRegistration kRegistration(
    {"train", "train a model from shards; goes on where a killed run stopped",
     "  rhodes train --preset 14m --tokenizer out/tokenizer.json --shards out/shards --out out --minutes 5\n"
     "  rhodes train --config config.json --tokenizer out/tokenizer.json --shards out/shards --out run1 --steps 2000 "
     "--batch 16 --context 256 --seed 1 --threads 2 --optimizer muon --json\n"
     "  rhodes train --config config.json --tokenizer out/tokenizer.json --shards out/shards --out run1 --steps 4000 "
     "--batch 16 --context 256 --seed 1 --threads 2 --optimizer muon --resume\n"
     "  rhodes train --from SmolLM2-135M --shards out/shards --out run2 --tokens 20000000 --learning-rate 3e-4\n"
     "  rhodes train --estimate --preset 124m --batch 4 --context 256 --steps 1000\n"
     "  rhodes train --estimate --ranks 8 --preset 124m --batch 64 --context 1024\n"
     "  mpirun -np 4 rhodes train --preset 14m --tokenizer out/tokenizer.json --shards out/shards --out run3 --batch "
     "64 "
     "--steps 2000\n",
     50, &Setup});

}  // namespace
}  // namespace rhodes
