// What a run will take, before it: memory by kind, work a token, speed, time.
#ifndef RHODES_TRAIN_ESTIMATE_H_
#define RHODES_TRAIN_ESTIMATE_H_

#include <cstdint>

#include "base/json.h"
#include "base/run_context.h"
#include "train/train.h"

namespace rhodes {

// Bytes that a run holds.
struct TrainMemory {
  uint64_t weights = 0;          // f32 master weights
  uint64_t compute_copy = 0;     // the products' copy
  uint64_t gradients = 0;        // f32
  uint64_t optimizer_state = 0;  // moments
  uint64_t optimizer_work = 0;   // Muon's
  uint64_t activations = 0;      // of a pass, logits included
  uint64_t checkpoint_copy = 0;  // made when there is room, so that training goes on while a checkpoint is written

  bool copy_needed = false;  // on several ranks: that of all their states, which rank 0 puts together

  uint64_t total() const;  // what a run cannot do without: all but a copy that is not needed
  // RESOURCE_EXHAUSTED saying which part is how large and what to change, when `allowed` is less than total().
  absl::Status Check(uint64_t allowed) const;
  Json ToJson() const;
};
// `options.config` complete. Of the rank that holds most among `ranks`.
TrainMemory MemoryOf(const TrainOptions& options, int threads, int ranks = 1);

// UsageError unless a batch has a sequence and a context two tokens, and both together make fewer than 2^31.
absl::Status CheckBatch(const TrainOptions& options);

ComputeType ComputeOf(const TrainOptions& options);
ModelOptions ModelOptionsOf(const TrainOptions& options, int threads);

// {"parameters", "product_parameters", "compute", "optimizer", "flops_per_token", "formula", "memory_bytes": {by kind,
// "total"}, "memory_allowed_bytes", "fits", "steps", "tokens", "tokens_per_second", "flops_per_second",
// "peak_flops_per_second", "share_of_peak", "seconds"}. The last five come from a few real steps on random tokens and
// are null when the run would not fit; steps, tokens and seconds, of training alone, are null without a budget, or with
// one in minutes. UsageError as CheckBatch. `options.config` complete; neither shards nor tokenizer are looked at.
absl::StatusOr<Json> EstimateTraining(const TrainOptions& options, RunContext& context);

}  // namespace rhodes

#endif  // RHODES_TRAIN_ESTIMATE_H_
