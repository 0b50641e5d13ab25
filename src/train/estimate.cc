#include "train/estimate.h"

#include <algorithm>
#include <functional>
#include <vector>

#include "base/byte_size.h"
#include "train/benchmark.h"
#include "train/data_parallel.h"
#include "train/loop.h"

namespace rhodes {
namespace {

constexpr double kMeasureSeconds = 3;

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
  return weights + compute_copy + gradients + optimizer_state + optimizer_work + activations + messages +
         (copy_needed ? checkpoint_copy : 0);
}

Json TrainMemory::ToJson() const {
  return {{"weights", weights},
          {"compute_copy", compute_copy},
          {"gradients", gradients},
          {"optimizer_state", optimizer_state},
          {"optimizer_work", optimizer_work},
          {"activations", activations},
          {"messages", messages},
          {"total", total()},
          {"checkpoint_copy", checkpoint_copy}};
}

absl::Status CheckBatch(const TrainOptions& options, int ranks) {
  if (options.batch < 1 || options.context < 2 || options.accumulation < 1) {
    return UsageError(fmt::format("train: batch {}, context {} and accumulation {} must be at least 1, 2 and 1",
                                  options.batch, options.context, options.accumulation));
  }
  constexpr int64_t kMost = int64_t{1} << 31;
  if (options.context >= kMost || options.batch >= kMost / options.context || options.accumulation >= kMost) {
    return UsageError(
        fmt::format("train: batch {} of context {}, {} a step, is more than can be counted: "
                    "keep batch times context, and the accumulation, below 2^31",
                    options.batch, options.context, options.accumulation));
  }
  if (options.batch < ranks) {
    return UsageError(
        fmt::format("train: a batch of {} sequences cannot be shared out among {} ranks: make it at least {}",
                    options.batch, ranks, ranks));
  }
  return absl::OkStatus();
}

namespace {

// Of each rank from `first` up to `last`.
std::vector<TrainMemory> MemoryOfRanks(const TrainOptions& options, int threads, int ranks, int first, int last) {
  ModelOptions model = ModelOptionsOf(options, threads);
  const ParameterLayout layout(options.config);
  const std::vector<Share> shares = DealShares(layout, ranks, options.optimizer == OptimizerKind::kMuon);
  const StateMap map(options.optimizer, layout, shares);
  const uint64_t values = static_cast<uint64_t>(layout.size());
  TrainMemory memory;
  memory.weights = values * sizeof(float);
  memory.compute_copy = values * (model.compute == ComputeType::kBf16 ? 2 : 4);
  memory.gradients = values * sizeof(float);
  memory.optimizer_work = Optimizer::ScratchBytes(options.optimizer, layout, model.compute, threads);
  memory.messages = Communicator::MemoryBytes(ranks);
  std::vector<TrainMemory> all;
  for (int rank = first; rank <= last; ++rank) {
    model.max_sequences = SequencesOf(options.batch, rank, ranks).count();
    memory.optimizer_state =
        static_cast<uint64_t>(StateMap::Owned(map.m, rank) + StateMap::Owned(map.v, rank)) * sizeof(float);
    memory.activations =
        Model::MemoryBytes(options.config, model) - memory.weights - memory.compute_copy - memory.gradients;
    memory.checkpoint_copy = rank == 0 ? memory.weights + Optimizer::StateBytes(options.optimizer, layout) : 0;
    memory.copy_needed = rank == 0 && ranks > 1;
    all.push_back(memory);
  }
  return all;
}

}  // namespace

TrainMemory MemoryOf(const TrainOptions& options, int threads, int ranks, int rank) {
  return MemoryOfRanks(options, threads, ranks, rank, rank).front();
}

TrainMemory MemoryOfOthers(const TrainOptions& options, int threads, int ranks) {
  const std::vector<TrainMemory> others = MemoryOfRanks(options, threads, ranks, 1, ranks - 1);
  return *std::ranges::max_element(others, std::less<>(), &TrainMemory::total);
}

absl::Status CheckMemory(const TrainOptions& options, int threads, uint64_t allowed) {
  const int ranks = options.ranks == nullptr ? 1 : options.ranks->size();
  const TrainMemory own = MemoryOf(options, threads, ranks, ranks == 1 ? 0 : options.ranks->rank());
  uint64_t needed = own.total();
  std::string whose = "this model and batch";
  if (options.machine.ranks > 1) {
    const uint64_t here = static_cast<uint64_t>(options.machine.ranks);
    const uint64_t other = MemoryOfOthers(options, threads, ranks).total();
    needed = options.machine.has_root ? MemoryOf(options, threads, ranks).total() + (here - 1) * other : here * other;
    whose = fmt::format("this model and batch by {} ranks on this machine", here);
  } else if (ranks > 1) {
    whose = fmt::format("this model and batch by rank {}", options.ranks->rank());
  }
  if (needed <= allowed) return absl::OkStatus();
  const std::string copy =
      own.copy_needed ? fmt::format(", the checkpoint of all ranks {}", FormatByteSize(own.checkpoint_copy)) : "";
  return absl::ResourceExhaustedError(fmt::format(
      "train: {} are needed for {} and {} are allowed: {}weights and their copy take {}, gradients {}, the optimizer "
      "{}, activations {}{}. Allow more (--memory), recompute activations (--recompute), or use a smaller batch, "
      "context or model",
      FormatByteSize(needed), whose, FormatByteSize(allowed), options.machine.ranks > 1 ? "of one rank " : "",
      FormatByteSize(own.weights + own.compute_copy), FormatByteSize(own.gradients),
      FormatByteSize(own.optimizer_state + own.optimizer_work), FormatByteSize(own.activations), copy));
}

absl::StatusOr<Json> EstimateTraining(const TrainOptions& options, RunContext& context, int planned) {
  RETURN_IF_ERROR(options.config.Validate());
  const int threads = context.Threads();
  Communicator alone;
  Communicator& ranks = options.ranks == nullptr ? alone : *options.ranks;
  const int count = ranks.size() > 1 ? ranks.size() : planned;
  RETURN_IF_ERROR(CheckBatch(options, count));
  const SequenceRange own = SequencesOf(options.batch, ranks.rank(), count);
  ModelOptions model_options = ModelOptionsOf(options, threads);
  model_options.max_sequences = own.count();
  const ParameterLayout layout(options.config);
  const TrainMemory memory = MemoryOf(options, threads, count);
  const double flops = TrainingFlopsPerToken(options.config, options.context);
  const int64_t step_tokens = options.batch * options.context * options.accumulation;
  const int64_t steps = options.steps > 0    ? options.steps
                        : options.tokens > 0 ? (options.tokens + step_tokens - 1) / step_tokens
                                             : 0;
  Json json = {{"parameters", layout.count()},
               {"product_parameters", layout.product_count()},
               {"compute", model_options.compute == ComputeType::kBf16 ? "bf16" : "f32"},
               {"optimizer", OptimizerName(options.optimizer)},
               {"ranks", count},
               {"flops_per_token", flops},
               {"formula", kFlopsFormula},
               {"memory_bytes", memory.ToJson()},
               {"memory_allowed_bytes", context.memory_bytes},
               {"steps", steps > 0 ? Json(steps) : Json()},
               {"tokens", steps > 0 ? Json(steps * step_tokens) : Json()}};
  if (count > 1) json["memory_bytes_of_others"] = MemoryOfOthers(options, threads, count).ToJson();
  for (const char* name :
       {"tokens_per_second", "flops_per_second", "peak_flops_per_second", "share_of_peak", "seconds"}) {
    json[name] = Json();
  }
  const bool fits = ranks.size() == count ? CheckMemory(options, threads, context.memory_bytes).ok()
                                          : memory.total() <= context.memory_bytes;
  ASSIGN_OR_RETURN(const bool some_does_not, ranks.Any(!fits));
  json["fits"] = !some_does_not;
  if (some_does_not || ranks.size() != count) return json;

  ASSIGN_OR_RETURN(const std::unique_ptr<Model> model, Model::Create(options.config, model_options));
  DataParallel parallel(ranks, *model, options.optimizer);
  const RandomBatch random(options.config.vocabulary_size, options.batch, options.context);
  double peak = MeasurePeak(model_options.compute, threads, options.peak_seconds);
  RETURN_IF_ERROR(ranks.Sum({&peak, 1}));
  ASSIGN_OR_RETURN(MeasuredSpeed speed,
                   MeasureSpeed(options, *model, random.view(own), parallel, kMeasureSeconds, context));
  ASSIGN_OR_RETURN(speed.step, ranks.BroadcastValue(speed.step));
  const double rate = static_cast<double>(step_tokens) / speed.step;
  json["tokens_per_second"] = rate;
  json["flops_per_second"] = rate * flops;
  json["peak_flops_per_second"] = peak;
  json["share_of_peak"] = rate * flops / peak;
  if (steps > 0) json["seconds"] = static_cast<double>(steps) * speed.step;
  return json;
}

}  // namespace rhodes
