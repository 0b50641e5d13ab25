// The training loop, over inputs that are already open.
#ifndef RHODES_TRAIN_LOOP_H_
#define RHODES_TRAIN_LOOP_H_

#include "model/model.h"
#include "token/shards.h"
#include "token/tokenizer.h"
#include "train/train.h"

namespace rhodes {

struct TrainInputs {
  const Tokenizer* tokenizer;  // not owned, as the others
  const ShardSet* train;
  const ShardSet* validation;  // null: no evaluations
  // Continued training: earlier text, seen again so that it is not forgotten; this share of the windows is of it.
  const ShardSet* replay = nullptr;
  double replay_share = 0;
};

// Train() without the opening and checking of files. `options` has its key, settings and config filled in.
absl::StatusOr<TrainReport> RunTraining(const TrainOptions& options, const TrainInputs& inputs, RunContext& context);

// How many steps a run has; decided once and then kept in OUT/checkpoints/plan.json.
struct TrainPlan {
  int64_t steps = 0;
  double seconds_per_step = 0;  // measured; 0 when the budget was not a time
};
// The plan of this key if one was recorded, else a new one (recorded before it returns): steps or tokens as given,
// minutes by timing a few steps of `model` on `batch`, after which the caller initialises the model again. `m` and `v`
// are scratch.
absl::StatusOr<TrainPlan> MakePlan(const TrainOptions& options, const TrainInputs& inputs, Model& model,
                                   const TokenBatch& batch, std::span<float> m, std::span<float> v,
                                   RunContext& context);

// The settings that decide the result, for the manifest and the key.
Json SettingsOf(const TrainOptions& options);

}  // namespace rhodes

#endif  // RHODES_TRAIN_LOOP_H_
