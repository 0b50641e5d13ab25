#include <fmt/format.h>

#include <cstdio>
#include <filesystem>

#include "command.h"
#include "project/rights.h"
#include "train/train.h"

namespace rhodes {
namespace {

struct TrainFlags {
  TrainOptions options;
  std::string config;
  std::string preset;
  std::string schedule = "wsd";
  std::string compute = "auto";
  std::string rights_override;
};

// Shards that came out of OUT/corpus know their sources, and OUT/records what may be done with those.
absl::Status CheckRights(const std::string& reason, TrainOptions& options) {
  ASSIGN_OR_RETURN(const std::vector<std::string> sources, SourcesOfShards(options.shards_dir));
  const std::string out = std::filesystem::path(options.shards_dir).lexically_normal().parent_path().string();
  ASSIGN_OR_RETURN(options.rights, TrainingRights(out.empty() ? "." : out, sources, reason));
  return absl::OkStatus();
}

absl::StatusOr<TrainOptions> OptionsOf(const TrainFlags& own) {
  TrainOptions options = own.options;
  if (!own.config.empty() && !own.preset.empty()) return UsageError("train: give --config or --preset, not both");
  if (!own.config.empty()) {
    ASSIGN_OR_RETURN(options.config, ModelConfig::Load(own.config));
  } else {
    ASSIGN_OR_RETURN(options.config, PresetConfig(own.preset.empty() ? "14m" : own.preset));
    options.config.max_positions = options.context;
    options.config.vocabulary_size = 0;  // the tokenizer's
  }
  ASSIGN_OR_RETURN(options.schedule.kind, ParseSchedule(own.schedule));
  options.compute = own.compute == "bf16"  ? TrainOptions::Compute::kBf16
                    : own.compute == "f32" ? TrainOptions::Compute::kF32
                                           : TrainOptions::Compute::kAuto;
  return options;
}

absl::Status Run(const TrainFlags& own, const CommonFlags& flags, RunContext& context) {
  ASSIGN_OR_RETURN(TrainOptions options, OptionsOf(own));
  RETURN_IF_ERROR(CheckRights(own.rights_override, options));
  if (flags.json) {
    options.on_metrics_line = [](const Json& line) {
      PrintJson(line);
      std::fflush(stdout);
    };
  }
  ASSIGN_OR_RETURN(const TrainReport report, Train(options, context));
  if (flags.json) return absl::OkStatus();  // the last line of the metrics is the report
  std::printf("model        %s/model (%.2f M parameters, %s)\n", options.out.c_str(),
              static_cast<double>(report.parameters) * 1e-6, report.compute.c_str());
  std::printf("steps        %ld, %ld tokens\n", static_cast<long>(report.steps), static_cast<long>(report.tokens));
  std::printf("loss         train %.4f, validation %.4f\n", report.train_loss, report.validation.loss);
  std::printf("held out     %.4f bits per byte over %lu bytes\n", report.validation.bits_per_byte,
              static_cast<unsigned long>(report.validation.bytes));
  std::printf("speed        %.0f tokens/s, %.0f GFLOP/s, %.1f %% of the measured peak of %.0f GFLOP/s\n",
              report.tokens_per_second, report.flops_per_second * 1e-9, report.share_of_peak * 100,
              report.peak_flops_per_second * 1e-9);
  std::printf("memory       %.2f GB at most\n", static_cast<double>(report.peak_memory_bytes) * 1e-9);
  return absl::OkStatus();
}

void AddRecipe(CLI::App& app, TrainFlags& own) {
  TrainOptions& o = own.options;
  app.add_option("--learning-rate", o.schedule.peak, "peak learning rate")->capture_default_str();
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
  app.add_option("--compute", own.compute, "auto, bf16 or f32; auto: bf16 where the processor has it")
      ->check(CLI::IsMember({"auto", "bf16", "f32"}))
      ->capture_default_str();
}

void AddWatching(CLI::App& app, TrainOptions& o) {
  app.add_option("--eval-every", o.eval_every, "steps between evaluations; 0: ten in all; -1: only at the end")
      ->capture_default_str();
  app.add_option("--eval-tokens", o.eval_tokens, "validation tokens of an evaluation on the way")
      ->capture_default_str();
  app.add_option("--sample", o.sample_prompts, "text to continue at each evaluation; may be given several times");
  app.add_option("--checkpoint-seconds", o.checkpoint_seconds, "seconds between checkpoints")->capture_default_str();
  app.add_option("--keep", o.keep_checkpoints, "checkpoints kept while training")->capture_default_str();
}

CommandBody Setup(CLI::App& app) {
  auto own = std::make_shared<TrainFlags>();
  TrainOptions& o = own->options;
  app.add_option("--config", own->config, "shape of the model: config.json in Hugging Face's keys");
  app.add_option("--preset", own->preset,
                 "or a known shape: 124m, 14m, 1.4m (default 14m), with the tokenizer's vocabulary");
  app.add_option("--tokenizer", o.tokenizer, "tokenizer.json that the shards were made with")->required();
  app.add_option("--shards", o.shards_dir, "directory of train-*.bin and validation-*.bin")->required();
  app.add_option("--out", o.out, "receives model/, checkpoints/ and metrics.jsonl")->required();
  app.add_option("--rights-override", own->rights_override,
                 "why the model may be trained on sources whose rights do not allow it; goes into its manifest");
  app.add_option("--steps", o.steps, "budget: optimizer steps");
  app.add_option("--tokens", o.tokens, "budget: training tokens");
  app.add_option("--minutes", o.minutes, "budget: wall time, made a number of steps at the start");
  app.add_option("--batch", o.batch, "sequences a batch")->capture_default_str();
  app.add_option("--context", o.context, "tokens a sequence")->capture_default_str();
  app.add_option("--seed", o.seed, "of the initial weights, the data's order and the samples")->capture_default_str();
  AddRecipe(app, *own);
  AddWatching(app, o);
  return [own](const CommonFlags& flags, RunContext& context) { return Run(*own, flags, context); };
}

const CommandRegistration kRegistration(
    {"train", "train a model from shards; goes on where a killed run stopped",
     "  rhodes train --preset 14m --tokenizer out/tokenizer.json --shards out/shards --out out --minutes 5\n"
     "  rhodes train --config config.json --tokenizer out/tokenizer.json --shards out/shards --out run1 --steps 2000 "
     "--batch 16 --context 256 --seed 1 --threads 2 --json\n",
     50, &Setup});

}  // namespace
}  // namespace rhodes
