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
  uint64_t messages = 0;         // room for what other ranks send
  // Made when there is room, so that training goes on while a checkpoint is written. On several ranks: of rank 0, which
  // puts the state of all together there and cannot do without.
  uint64_t checkpoint_copy = 0;
  bool copy_needed = false;

  uint64_t total() const;  // what a run cannot do without: all but a copy that is not needed
  Json ToJson() const;
};
// Of `rank` of `ranks`. `options.config` complete, and a sequence of the batch for each rank.
TrainMemory MemoryOf(const TrainOptions& options, int threads, int ranks = 1, int rank = 0);
// Of that one of the ranks beside rank 0 that holds most; two ranks at least.
TrainMemory MemoryOfOthers(const TrainOptions& options, int threads, int ranks);
// RESOURCE_EXHAUSTED saying which part is how large and what to change, when this rank (with options.machine the ranks
// of this machine) needs more than `allowed` bytes.
absl::Status CheckMemory(const TrainOptions& options, int threads, uint64_t allowed);

// UsageError unless a batch has a sequence for each rank and a context two tokens, and both together make fewer than
// 2^31.
absl::Status CheckBatch(const TrainOptions& options, int ranks = 1);

ComputeType ComputeOf(const TrainOptions& options);
ModelOptions ModelOptionsOf(const TrainOptions& options, int threads);

// {"parameters", "product_parameters", "compute", "optimizer", "ranks", "flops_per_token", "formula", "memory_bytes":
// {by kind, "total"}, "memory_allowed_bytes", "fits", "steps", "tokens", "tokens_per_second", "flops_per_second",
// "peak_flops_per_second", "share_of_peak", "seconds"}. The last five come from a few real steps on random tokens and
// are null when the run would not fit; steps, tokens and seconds, of training alone, are null without a budget, or with
// one in minutes. `options.config` complete; neither shards nor tokenizer are looked at.
//
// With several ranks "memory_bytes" is rank 0's and "memory_bytes_of_others" that of the one of the others that holds
// most. They are those of options.ranks, which all call this, measure the steps together and get the same; or so many
// as `planned` says (1 with options.ranks), of which this process is none: nothing is measured then. UsageError as
// CheckBatch.
absl::StatusOr<Json> EstimateTraining(const TrainOptions& options, RunContext& context, int planned = 1);

}  // namespace rhodes

#endif  // RHODES_TRAIN_ESTIMATE_H_
