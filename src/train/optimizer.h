// The optimizer's state, and one step of it over all the weights of a model.
#ifndef RHODES_TRAIN_OPTIMIZER_H_
#define RHODES_TRAIN_OPTIMIZER_H_

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "model/model.h"
#include "train/muon.h"
#include "train/shares.h"

namespace rhodes {

enum class OptimizerKind {
  kAdamW,  // all weights; decay of matrices only
  kMuon    // matrices of the layers; AdamW for embeddings, output weights, routers and vectors
};
// "adamw", "muon". UsageError for anything else.
absl::StatusOr<OptimizerKind> ParseOptimizer(std::string_view name);
std::string_view OptimizerName(OptimizerKind kind);

// Part of an optimizer's state: where it stands in the array of the whole model (what a checkpoint holds), who keeps
// it, and where in that rank's own array.
struct StatePiece {
  int64_t at = 0, size = 0;
  int owner = 0;
  int64_t owned_at = 0;
};
// Of both arrays, see Optimizer::m() and v(). A function of its arguments alone.
struct StateMap {
  StateMap(OptimizerKind kind, const ParameterLayout& layout, std::span<const Share> shares);
  std::vector<StatePiece> m, v;
  int64_t m_size = 0, v_size = 0;                                      // of the whole model
  static int64_t Owned(std::span<const StatePiece> pieces, int rank);  // elements
};

// One call at a time. The same bits for any number of threads.
class Optimizer {
 public:
  // Of one rank of several, which keeps and updates the state and weights of its `shares` (DealShares() of the layout,
  // whole matrices with kMuon). All state zero. std::bad_alloc when the memory is not to be had.
  Optimizer(OptimizerKind kind, const ParameterLayout& layout, ComputeType compute, int threads,
            std::span<const Share> shares, int rank);
  // Of a process that is alone.
  Optimizer(OptimizerKind kind, const ParameterLayout& layout, ComputeType compute, int threads);
  ~Optimizer();

  // Updates this rank's weights of `model` (of the same layout) from its gradients, and their low copy. `muon` is not
  // looked at with kAdamW. An error of the products leaves the weights void.
  absl::Status Step(const AdamW& adamw, const MuonSettings& muon, Model& model);

  // First moments, laid out as the weights are: AdamW's, or Muon's momentum. Of this rank's shares, one after another.
  std::span<float> m() { return m_.span(); }
  // AdamW's second moments: laid out as the weights with kAdamW; with kMuon those of AdamW's parameters alone, one
  // after another. Of this rank's shares.
  std::span<float> v() { return v_.span(); }
  const StateMap& map() const { return map_; }
  void Reset();  // all state zero again

  // Bytes of the state of the whole model (what a checkpoint holds), and of the working memory beside it.
  static uint64_t StateBytes(OptimizerKind kind, const ParameterLayout& layout);
  static uint64_t ScratchBytes(OptimizerKind kind, const ParameterLayout& layout, ComputeType compute, int threads);

 private:
  struct Part {  // weights that AdamW updates
    int64_t begin, end;
    int64_t m, v;  // offsets
  };
  class MuonTeam;

  int threads_;
  StateMap map_;
  Buffer<float> m_, v_;
  std::vector<Part> parts_;
  std::unique_ptr<MuonTeam> muon_;
};

}  // namespace rhodes

#endif  // RHODES_TRAIN_OPTIMIZER_H_
