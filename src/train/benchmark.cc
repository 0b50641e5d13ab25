#include "train/benchmark.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <random>
#include <vector>

#include "model/kernels/buffer.h"
#include "model/model.h"

namespace rhodes {
namespace {

std::string_view ComputeName(ComputeType type) { return type == ComputeType::kBf16 ? "bf16" : "f32"; }

}  // namespace

RandomBatch::RandomBatch(int64_t vocabulary_size, int64_t sequences, int64_t length)
    : sequences_(sequences), length_(length), tokens_(static_cast<size_t>(sequences * length) + 1) {
  std::mt19937 random(1);
  for (uint32_t& token : tokens_) token = random() % static_cast<uint32_t>(vocabulary_size);
}

TokenBatch RandomBatch::view(const SequenceRange& own) const {
  const size_t first = static_cast<size_t>(own.begin * length_), rows = static_cast<size_t>(own.count() * length_);
  const std::span tokens(tokens_);
  return {own.count(), length_, tokens.subspan(first, rows), tokens.subspan(first + 1, rows), {}};
}

Json BenchmarkPeak(RunContext& context) {
  const int threads = context.Threads();
  // Both are reported, also where bf16 is not native: the figures say why f32 is used there. oneDNN's bf16 without
  // AVX-512 is a scalar loop that would take minutes, so it is not measured.
  const bool has_bf16 = std::string_view(InstructionSetName()).starts_with("avx512");
  return {{"threads", threads},
          {"instruction_set", InstructionSetName()},
          {"bf16_flops_per_second", has_bf16 ? MeasurePeak(ComputeType::kBf16, threads) : 0.0},
          {"f32_flops_per_second", MeasurePeak(ComputeType::kF32, threads)},
          {"native", ComputeName(NativeComputeType())}};
}

absl::StatusOr<Json> BenchmarkTraining(const TrainBenchmarkOptions& options, RunContext& context) {
  using Clock = std::chrono::steady_clock;
  Communicator alone;
  Communicator& ranks = options.ranks == nullptr ? alone : *options.ranks;
  const SequenceRange own = SequencesOf(options.batch, ranks.rank(), ranks.size());
  if (own.count() < 1) return UsageError("bench train: a batch needs a sequence for each rank");
  ModelOptions model_options{options.compute, context.Threads(), own.count(), options.context, true};
  model_options.recompute = options.recompute;
  ASSIGN_OR_RETURN(const std::unique_ptr<Model> model, Model::Create(options.config, model_options));
  model->Initialize(1, 0.02f);
  DataParallel parallel(ranks, *model, OptimizerKind::kAdamW);
  const double rows = static_cast<double>(options.batch * options.context);
  const RandomBatch whole(options.config.vocabulary_size, options.batch, options.context);
  const TokenBatch batch = whole.view(own);
  double peak = MeasurePeak(options.compute, context.Threads());
  std::vector<double> seconds;
  double waited = 0;
  constexpr int64_t kUntimed = 3;
  for (int64_t step = 0; step < options.steps + kUntimed; ++step) {
    RETURN_IF_ERROR(context.CheckCancelled());
    if (step == kUntimed) {
      model->TakeSectionSeconds();
      waited = ranks.waited_seconds();
    }
    const Clock::time_point begin = Clock::now();
    ASSIGN_OR_RETURN(const double nats, parallel.ForwardBackward(batch, static_cast<float>(1 / rows), false, true));
    RETURN_IF_ERROR(parallel.FinishGradients());
    ASSIGN_OR_RETURN(const DataParallel::Sums sums, parallel.SumUp(nats));
    const double norm = sums.gradient_norm;
    if (!std::isfinite(nats) || !std::isfinite(norm)) return absl::InternalError("bench train: not a number");
    AdamW adamw{1e-4f, 0.9f, 0.95f, 1e-8f, 0.1f, static_cast<float>(std::min(1.0, 1.0 / norm)), 1.0f, 1.0f};
    adamw.correction1 = static_cast<float>(1 - std::pow(0.9, static_cast<double>(step + 1)));
    adamw.correction2 = static_cast<float>(1 - std::pow(0.95, static_cast<double>(step + 1)));
    RETURN_IF_ERROR(parallel.Step(adamw, MuonSettings{}));
    if (step >= kUntimed) seconds.push_back(std::chrono::duration<double>(Clock::now() - begin).count());
  }
  const SectionSeconds sections = model->TakeSectionSeconds();
  waited = ranks.waited_seconds() - waited;
  peak = std::max(peak, MeasurePeak(options.compute, context.Threads()));
  RETURN_IF_ERROR(ranks.Sum({&peak, 1}));
  std::ranges::sort(seconds);
  const double median = seconds[seconds.size() / 2];
  const double rate = rows / median;
  const double flops_per_token = TrainingFlopsPerToken(options.config, options.context);
  Json by_kind = Json::object();
  for (size_t i = 0; i < sections.size(); ++i) {
    by_kind[std::string(SectionName(static_cast<Section>(i)))] = sections[i] / static_cast<double>(options.steps);
  }
  if (ranks.size() > 1) by_kind["communication"] = waited / static_cast<double>(options.steps);
  return Json{{"parameters", model->layout().count()},
              {"ranks", ranks.size()},
              {"batch", options.batch},
              {"context", options.context},
              {"threads", context.Threads()},
              {"compute", ComputeName(options.compute)},
              {"median_step_seconds", median},
              {"fastest_step_seconds", seconds.front()},
              {"slowest_step_seconds", seconds.back()},
              {"tokens_per_second", rate},
              {"flops_per_token", flops_per_token},
              {"flops_per_second", rate * flops_per_token},
              {"peak_flops_per_second", peak},
              {"share_of_peak", rate * flops_per_token / peak},
              {"formula", kFlopsFormula},
              {"step_seconds_by_kind", by_kind}};
}

}  // namespace rhodes
