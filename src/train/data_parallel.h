// Training steps of one model on several ranks: each computes the gradients of its sequences of every batch, sums and
// updates its share of the weights (with the optimizer's state of that share alone), and hands it to the others.
#ifndef RHODES_TRAIN_DATA_PARALLEL_H_
#define RHODES_TRAIN_DATA_PARALLEL_H_

#include <memory>
#include <optional>
#include <vector>

#include "model/model.h"
#include "train/checkpoint.h"
#include "train/communicator.h"
#include "train/optimizer.h"

namespace rhodes {

// Which sequences of a batch are a rank's: [begin, end), in the order of ranks, so that all ranks together see what one
// alone would.
struct SequenceRange {
  int64_t begin = 0, end = 0;
  int64_t count() const { return end - begin; }
};
SequenceRange SequencesOf(int64_t batch, int rank, int ranks);

// Every rank calls the same functions in the same order; errors are those of the communicator beside what is named. On
// one rank nothing is sent and nothing costs more than without this class. Not thread-safe.
class DataParallel {
 public:
  // `ranks` and `model` (the same on all ranks; with room for this rank's sequences) must outlive this object.
  // std::bad_alloc when the memory for the optimizer's state is not to be had.
  DataParallel(Communicator& ranks, Model& model, OptimizerKind kind);
  // A step that was begun and not finished ends the communication of this rank.
  ~DataParallel();

  Communicator& ranks() { return ranks_; }
  Optimizer& optimizer() { return *optimizer_; }
  std::span<const Share> shares() const { return shares_; }

  // One pass over this rank's sequences, as Model::ForwardBackward. In the `last` pass of a step the gradients of a
  // layer begin to be summed as soon as they are final, while those before it are computed.
  absl::StatusOr<double> ForwardBackward(const TokenBatch& batch, float scale, bool accumulate, bool last);
  // Waits until the gradients of this rank's shares are summed over all ranks; those of the others are void then.
  absl::Status FinishGradients() { return ranks_.FinishReduce(); }
  struct Sums {
    double nats = 0;           // of all ranks' passes
    double gradient_norm = 0;  // of the whole gradient
    RouterStatistics router;   // of all ranks' passes since the last call
  };
  absl::StatusOr<Sums> SumUp(double nats);
  // Makes the gradients whole on every rank: for looking at them.
  absl::Status GatherGradients();
  // One step of the optimizer; all weights are everyone's then.
  absl::Status Step(const AdamW& adamw, const MuonSettings& muon);

  // Weights of rank 0 become everyone's, with the products' copy.
  absl::Status ShareWeights();
  // A checkpoint of the whole state, as CheckpointStore::Save; it is the same whatever the number of ranks. Rank 0
  // gathers and writes it, and has the memory for the state of all; `store` is not looked at elsewhere.
  absl::Status Save(CheckpointStore& store, int64_t step, const Json& progress);
  // The newest whole checkpoint that rank 0 finds, dealt out to the ranks, or nothing, on all of them.
  absl::StatusOr<std::optional<LoadedCheckpoint>> LoadNewest(CheckpointStore& store, RunContext& context);

 private:
  // The place of a piece in its owner's array, and in that of all; nothing where this rank has no such array.
  std::span<float> Owned(const StatePiece& piece, std::span<float> own) const;
  std::span<float> OfAll(const StatePiece& piece, std::span<float> all) const;
  // Between the owners' pieces and the array of all, which rank 0 alone has.
  absl::Status Gather(std::span<const StatePiece> pieces, std::span<float> own, std::span<float> all);
  absl::Status Scatter(std::span<const StatePiece> pieces, std::span<float> all, std::span<float> own);

  Communicator& ranks_;
  Model& model_;
  const std::vector<Share> shares_;
  std::optional<Optimizer> optimizer_;
  bool reduce_ = false;  // in the pass under way
};

}  // namespace rhodes

#endif  // RHODES_TRAIN_DATA_PARALLEL_H_
