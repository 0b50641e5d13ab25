// The training loop, over inputs that are already open.
#ifndef RHODES_TRAIN_LOOP_H_
#define RHODES_TRAIN_LOOP_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "model/model.h"
#include "token/shards.h"
#include "token/tokenizer.h"
#include "train/data_parallel.h"
#include "train/train.h"

namespace rhodes {

struct TrainInputs {
  const Tokenizer* tokenizer;  // not owned, as the others
  const ShardSet* train;
  const ShardSet* validation;  // null: no evaluations
  // Continued training: earlier text, seen again so that it is not forgotten; this share of the windows is of it.
  const ShardSet* replay = nullptr;
  double replay_share = 0;
  std::vector<std::pair<std::string, const ShardSet*>> validation_by_source = {};  // evaluated each, beside the whole
  // Called with the number of a step's batch and its gradients before they are used; empty but in tests, which put
  // faults there.
  std::function<void(int64_t batch, std::span<float> gradients)> after_backward = {};
};

// Train() without the opening and checking of files. `options` has its key, settings and config filled in.
absl::StatusOr<TrainReport> RunTraining(const TrainOptions& options, const TrainInputs& inputs, RunContext& context);

// Decides what becomes of a run that OUT holds (TrainOptions::existing); may change the key to that of the run to go on
// with.
absl::Status ResolveExisting(TrainOptions& options, RunContext& context);

// How many steps a run has; decided once and then kept in OUT/checkpoints/plan.json.
struct TrainPlan {
  int64_t steps = 0;
  double seconds_per_step = 0;  // measured; 0 when the budget was not a time
};
// The plan of this key if one was recorded, else a new one (recorded before it returns): steps or tokens as given,
// minutes by timing a few steps of `model` on `batch`, after which the caller sets model and optimizer anew.
absl::StatusOr<TrainPlan> MakePlan(const TrainOptions& options, const TrainInputs& inputs, Model& model,
                                   const TokenBatch& batch, DataParallel& parallel, RunContext& context);

struct MeasuredSpeed {
  double step = 0;        // seconds of a whole step, the median
  double evaluation = 0;  // seconds a token, without overlap
};
// Times steps on `batch` for about `seconds`, at least three after two that are not timed. Leaves model and optimizer
// void.
absl::StatusOr<MeasuredSpeed> MeasureSpeed(const TrainOptions& options, Model& model, const TokenBatch& batch,
                                           DataParallel& parallel, double seconds, RunContext& context);

// The settings that decide the result, for the manifest and the key.
Json SettingsOf(const TrainOptions& options);

}  // namespace rhodes

#endif  // RHODES_TRAIN_LOOP_H_
