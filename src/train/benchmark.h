// How fast this machine trains: the products' peak, and whole steps as a share of it.
#ifndef RHODES_TRAIN_BENCHMARK_H_
#define RHODES_TRAIN_BENCHMARK_H_

#include <cstdint>
#include <vector>

#include "base/json.h"
#include "base/run_context.h"
#include "model/config.h"
#include "model/kernels/product.h"
#include "model/model.h"
#include "train/data_parallel.h"

namespace rhodes {

// How the work of training is counted; stated beside every share of the peak.
inline constexpr const char* kFlopsFormula = "flops_per_token = 6 * product weights + 12 * layers * width * context";

// Sequences to measure speed on: uniformly random tokens, always the same. Every token's target is the next one.
class RandomBatch {
 public:
  RandomBatch(int64_t vocabulary_size, int64_t sequences, int64_t length);
  TokenBatch view() const { return view({0, sequences_}); }
  // Of some of the sequences; lives as long as the RandomBatch.
  TokenBatch view(const SequenceRange& own) const;

 private:
  int64_t sequences_, length_;
  std::vector<uint32_t> tokens_;
};

// {"threads", "instruction_set", "bf16_flops_per_second", "f32_flops_per_second", "native"}: the best rate of square
// products of 1024 and 1536.
Json BenchmarkPeak(RunContext& context);

struct TrainBenchmarkOptions {
  ModelConfig config;
  int64_t batch = 16;
  int64_t context = 256;
  int64_t steps = 10;  // timed, after three that are not
  ComputeType compute = ComputeType::kBf16;
  bool recompute = false;
  Communicator* ranks = nullptr;  // that share the batch; not owned; null: this process alone
};
// Whole training steps (forward, backward, clipping, AdamW) on random tokens. {"parameters", "median_step_seconds",
// "fastest_step_seconds", "slowest_step_seconds", "tokens_per_second", "flops_per_token", "flops_per_second",
// "peak_flops_per_second", "share_of_peak", "formula", "step_seconds_by_kind": {...}}; the peak is measured before and
// after, and the better taken; rates are those of the median step. On several ranks, which all call this, "ranks" too,
// and in "step_seconds_by_kind" how long rank 0 waited for others ("communication"); peak and rates are of all
// together.
absl::StatusOr<Json> BenchmarkTraining(const TrainBenchmarkOptions& options, RunContext& context);

}  // namespace rhodes

#endif  // RHODES_TRAIN_BENCHMARK_H_
