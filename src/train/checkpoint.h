// Checkpoints: the whole state of a run at a step, written beside the training, found again after a kill.
#ifndef RHODES_TRAIN_CHECKPOINT_H_
#define RHODES_TRAIN_CHECKPOINT_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/json.h"
#include "base/run_context.h"
#include "base/status.h"
#include "model/kernels/buffer.h"

namespace rhodes {

// The arrays that change from step to step; m and v are the optimizer's. The rates and the samples' seeds follow from
// the step, the data's position from it and `progress`.
struct TrainState {
  std::span<float> weights, m, v;
};
struct LoadedCheckpoint {
  int64_t step = 0;
  Json progress;  // as saved: an object
};

// Files `directory`/checkpoint-<step, 10 digits>.state:
//   "RHODESCK" · u64 header length · JSON {"format", "key", "step", "values", "progress"} · weights · m · v (f32,
//   little-endian; v may be shorter than the others) · u64 XXH3 of the header · of weights · of m · of v
// A file appears under its name only when it is whole and synced.
class CheckpointStore {
 public:
  // Of several kept, the newest `keep` stay. With `asynchronous` a copy of the state is made and written by a thread,
  // so that training goes on meanwhile; costs the memory of the copy.
  CheckpointStore(std::string directory, std::string key, int keep, bool asynchronous);
  ~CheckpointStore();  // waits for a write under way

  // Makes room for the copies of `values` numbers in all, so that the first Save() need not. RESOURCE_EXHAUSTED when it
  // is not to be had.
  absl::Status Reserve(size_t values);
  // From now on a state is put together in the room of `lender` (which must outlive this object) instead of a second
  // one, after what the lender writes is written. For a store that is not asynchronous.
  void BorrowRoom(CheckpointStore& lender) { lender_ = &lender; }
  // Starts (or makes) a checkpoint after `step` steps. Waits for an earlier one first, and returns its error if any.
  // Replaces one of the same step. `progress`: what else belongs to the state.
  absl::Status Save(int64_t step, const TrainState& state, const Json& progress = Json::object());
  // The same in two parts, for a state that is put together: room for it (of as many weights as first moments), which
  // is filled between the two. Room that is not saved may be used otherwise until the next call. With borrowed room the
  // error may be that of the lender's last write.
  absl::StatusOr<TrainState> Prepare(int64_t weights, int64_t v);
  absl::Status SavePrepared(int64_t step, const Json& progress);
  // Waits for the write under way and returns its error.
  absl::Status Wait();
  // Loads the newest whole checkpoint of this key into `state`, or nothing when there is none. A damaged one is named
  // through `context.progress` and passed over.
  absl::StatusOr<std::optional<LoadedCheckpoint>> LoadNewest(const TrainState& state, RunContext& context) const;
  // Removes that of `step`, if it is there.
  absl::Status Remove(int64_t step) const;
  // Removes all but that of `step`.
  absl::Status KeepOnly(int64_t step) const;

 private:
  absl::Status MakeRoom(size_t values);  // RESOURCE_EXHAUSTED when it is not to be had
  std::string PathOf(int64_t step) const;
  absl::StatusOr<std::vector<int64_t>> Steps() const;  // newest first
  absl::Status Write(int64_t step, const Json& progress, std::span<const float> weights, std::span<const float> m,
                     std::span<const float> v);
  absl::StatusOr<LoadedCheckpoint> Load(int64_t step, const TrainState& state) const;
  absl::Status Prune(size_t keep) const;

  std::string directory_, key_;
  int keep_;
  bool asynchronous_;
  Buffer<float> copy_;   // weights, m, v one after another
  TrainState prepared_;  // its parts
  CheckpointStore* lender_ = nullptr;
  std::thread writer_;
  absl::Status written_;  // of the last write; read after joining
};

}  // namespace rhodes

#endif  // RHODES_TRAIN_CHECKPOINT_H_
