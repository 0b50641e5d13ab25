#include "train/estimate.h"

#include <random>
#include <vector>

#include "train/benchmark.h"
#include "train/loop.h"

namespace rhodes {
namespace {

constexpr double kMeasureSeconds = 3;

double Gigabytes(uint64_t bytes) { return static_cast<double>(bytes) * 1e-9; }

}  // namespace

ComputeType ComputeOf(const TrainOptions& options) {
  switch (options.compute) {
    case TrainOptions::Compute::kBf16:
      return ComputeType::kBf16;
    case TrainOptions::Compute::kF32:
      return ComputeType::kF32;
    case TrainOptions::Compute::kAuto:
      break;
  }
  return NativeComputeType();
}

ModelOptions ModelOptionsOf(const TrainOptions& options, int threads) {
  ModelOptions model;
  model.compute = ComputeOf(options);
  model.threads = threads;
  model.max_sequences = options.batch;
  model.max_context = options.context;
  model.training = true;
  model.recompute = options.recompute;
  model.router_aux_loss = RouterAuxLossOf(options.config, options.router_aux_loss);
  model.router_z_loss = options.router_z_loss;
  return model;
}

uint64_t TrainMemory::total() const {
  return weights + compute_copy + gradients + optimizer_state + optimizer_work + activations +
         (copy_needed ? checkpoint_copy : 0);
}

Json TrainMemory::ToJson() const {
  return {{"weights", weights},
          {"compute_copy", compute_copy},
          {"gradients", gradients},
          {"optimizer_state", optimizer_state},
          {"optimizer_work", optimizer_work},
          {"activations", activations},
          {"total", total()},
          {"checkpoint_copy", checkpoint_copy}};
}

absl::Status TrainMemory::Check(uint64_t allowed) const {
  if (total() <= allowed) return absl::OkStatus();
  return absl::ResourceExhaustedError(fmt::format(
      "train: {:.2f} GB are needed for this model and batch and {:.2f} GB are allowed: weights and their copy take "
      "{:.2f}, gradients {:.2f}, the optimizer {:.2f}, activations {:.2f}. Allow more (--memory), recompute "
      "activations (--recompute), or use a smaller batch, context or model",
      Gigabytes(total()), Gigabytes(allowed), Gigabytes(weights + compute_copy), Gigabytes(gradients),
      Gigabytes(optimizer_state + optimizer_work), Gigabytes(activations)));
}

TrainMemory MemoryOf(const TrainOptions& options, int threads, int ranks) {
  ModelOptions model = ModelOptionsOf(options, threads);
  model.max_sequences = (model.max_sequences + ranks - 1) / ranks;
  const ParameterLayout layout(options.config);
  const uint64_t values = static_cast<uint64_t>(layout.size());
  TrainMemory memory;
  memory.weights = values * sizeof(float);
  memory.compute_copy = values * (model.compute == ComputeType::kBf16 ? 2 : 4);
  memory.gradients = values * sizeof(float);
  const uint64_t state = Optimizer::StateBytes(options.optimizer, layout);
  memory.optimizer_state = state / static_cast<uint64_t>(ranks);
  memory.optimizer_work = Optimizer::ScratchBytes(options.optimizer, layout, model.compute, threads);
  memory.activations =
      Model::MemoryBytes(options.config, model) - memory.weights - memory.compute_copy - memory.gradients;
  memory.checkpoint_copy = memory.weights + state;
  memory.copy_needed = ranks > 1;
  return memory;
}

absl::StatusOr<Json> EstimateTraining(const TrainOptions& options, RunContext& context) {
  RETURN_IF_ERROR(options.config.Validate());
  const int threads = context.Threads();
  const ModelOptions model_options = ModelOptionsOf(options, threads);
  const ParameterLayout layout(options.config);
  const TrainMemory memory = MemoryOf(options, threads);
  const double flops = TrainingFlopsPerToken(options.config, options.context);
  const int64_t step_tokens = options.batch * options.context * options.accumulation;
  const int64_t steps = options.steps > 0    ? options.steps
                        : options.tokens > 0 ? (options.tokens + step_tokens - 1) / step_tokens
                                             : 0;
  Json json = {{"parameters", layout.count()},
               {"product_parameters", layout.product_count()},
               {"compute", model_options.compute == ComputeType::kBf16 ? "bf16" : "f32"},
               {"optimizer", OptimizerName(options.optimizer)},
               {"flops_per_token", flops},
               {"formula", kFlopsFormula},
               {"memory_bytes", memory.ToJson()},
               {"memory_allowed_bytes", context.memory_bytes},
               {"fits", memory.total() <= context.memory_bytes},
               {"steps", steps > 0 ? Json(steps) : Json()},
               {"tokens", steps > 0 ? Json(steps * step_tokens) : Json()}};
  for (const char* name :
       {"tokens_per_second", "flops_per_second", "peak_flops_per_second", "share_of_peak", "seconds"}) {
    json[name] = Json();
  }
  if (!json["fits"].get<bool>()) return json;

  ASSIGN_OR_RETURN(const std::unique_ptr<Model> model, Model::Create(options.config, model_options));
  Communicator alone;
  DataParallel parallel(alone, *model, options.optimizer);
  const size_t rows = static_cast<size_t>(options.batch * options.context);
  std::vector<uint32_t> tokens(rows + 1);
  std::mt19937 random(1);
  for (uint32_t& token : tokens) token = random() % static_cast<uint32_t>(options.config.vocabulary_size);
  const TokenBatch batch{
      options.batch, options.context, std::span(tokens).first(rows), std::span(tokens).subspan(1), {}};
  const double peak = MeasurePeak(model_options.compute, threads, options.peak_seconds);
  ASSIGN_OR_RETURN(const MeasuredSpeed speed, MeasureSpeed(options, *model, batch, parallel, kMeasureSeconds, context));
  const double rate = static_cast<double>(step_tokens) / speed.step;
  json["tokens_per_second"] = rate;
  json["flops_per_second"] = rate * flops;
  json["peak_flops_per_second"] = peak;
  json["share_of_peak"] = rate * flops / peak;
  if (steps > 0) json["seconds"] = static_cast<double>(steps) * speed.step;
  return json;
}

}  // namespace rhodes
