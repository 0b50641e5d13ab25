// How the routers of a mixture of experts spread the positions, as counted in training.
#ifndef RHODES_MODEL_ROUTER_STATISTICS_H_
#define RHODES_MODEL_ROUTER_STATISTICS_H_

#include <cstdint>
#include <span>
#include <vector>

namespace rhodes {

// Sums over sequences and layers; layers/router_balance.h has the formulas. Every figure is a quotient of sums, so that
// the statistics of several ranks or passes are put together by adding sums().
class RouterStatistics {
 public:
  RouterStatistics() = default;  // of a model without experts
  RouterStatistics(int64_t layers, int64_t experts);

  bool empty() const { return sums_.empty(); }
  int64_t layers() const { return layers_; }
  int64_t experts() const { return experts_; }

  // One sequence in one layer: how often each expert was chosen, and the losses.
  void Add(int64_t layer, std::span<const int64_t> choices, double balance_loss, double z_loss);

  // Means over sequences and layers, without their coefficients; 0 when nothing was counted.
  double balance_loss() const { return Mean(kBalance); }
  double z_loss() const { return Mean(kZ); }
  // The part of all choices of experts in `layer` that fell on `expert`: 1 / experts() when all are loaded alike.
  double Share(int64_t layer, int64_t expert) const;
  struct Range {
    double least, most;
  };
  Range ShareOfLayer(int64_t layer) const;  // over its experts
  Range ShareOfAll() const;                 // over the experts of all layers

  std::span<double> sums() { return sums_; }

 private:
  enum Head : size_t { kBalance, kZ, kCount, kHeads };  // then the choices, [layers, experts]
  double Mean(Head sum) const;
  size_t At(int64_t layer, int64_t expert) const { return kHeads + static_cast<size_t>(layer * experts_ + expert); }

  int64_t layers_ = 0, experts_ = 0;
  std::vector<double> sums_;
};

}  // namespace rhodes

#endif  // RHODES_MODEL_ROUTER_STATISTICS_H_
