// The optimizer's state, and one step of it over all the weights of a model.
#ifndef RHODES_TRAIN_OPTIMIZER_H_
#define RHODES_TRAIN_OPTIMIZER_H_

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "model/model.h"
#include "train/muon.h"

namespace rhodes {

enum class OptimizerKind {
  kAdamW,  // all weights; decay of matrices only
  kMuon    // matrices of the layers; AdamW for embeddings, output weights, routers and vectors
};
// "adamw", "muon". UsageError for anything else.
absl::StatusOr<OptimizerKind> ParseOptimizer(std::string_view name);
std::string_view OptimizerName(OptimizerKind kind);

// One call at a time. The same bits for any number of threads.
class Optimizer {
 public:
  // All state zero. std::bad_alloc when the memory is not to be had.
  Optimizer(OptimizerKind kind, const ParameterLayout& layout, ComputeType compute, int threads);
  ~Optimizer();

  // Updates the weights of `model` (of the same layout) from its gradients, and their low copy. `muon` is not looked at
  // with kAdamW. An error of the products leaves the weights void.
  absl::Status Step(const AdamW& adamw, const MuonSettings& muon, Model& model);

  // First moments, laid out as the weights are: AdamW's, or Muon's momentum.
  std::span<float> m() { return m_.span(); }
  // AdamW's second moments: laid out as the weights with kAdamW; with kMuon those of AdamW's parameters alone, one
  // after another.
  std::span<float> v() { return v_.span(); }
  void Reset();  // all state zero again

  // Bytes of the state (what a checkpoint holds), and of the working memory beside it.
  static uint64_t StateBytes(OptimizerKind kind, const ParameterLayout& layout);
  static uint64_t ScratchBytes(OptimizerKind kind, const ParameterLayout& layout, ComputeType compute, int threads);

 private:
  class MuonTeam;

  OptimizerKind kind_;
  int threads_;
  Buffer<float> m_, v_;
  std::unique_ptr<MuonTeam> muon_;
};

}  // namespace rhodes

#endif  // RHODES_TRAIN_OPTIMIZER_H_
