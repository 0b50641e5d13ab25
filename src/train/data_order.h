// Which tokens a step trains on: a pure function of the step and the seed, so that resuming needs no state.
#ifndef RHODES_TRAIN_DATA_ORDER_H_
#define RHODES_TRAIN_DATA_ORDER_H_

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "model/model.h"
#include "token/shards.h"

namespace rhodes {

// Cuts the tokens of a split into windows of `context`, visits each once an epoch in an order drawn from the seed, and
// cuts at another offset in each epoch.
class DataOrder {
 public:
  // INVALID_ARGUMENT when `tokens` are fewer than context + 1: no window has a target for each token.
  static absl::StatusOr<DataOrder> Create(uint64_t tokens, int64_t context, uint64_t seed);

  uint64_t windows_per_epoch() const { return windows_; }
  // First token of the n-th window of the run.
  uint64_t Position(uint64_t n) const;

 private:
  DataOrder(uint64_t windows, uint64_t context, uint64_t seed);
  uint64_t windows_, context_, seed_;
};

// A permutation of [0, count) by a keyed Feistel network with cycle walking: no table, so any count costs nothing.
uint64_t PermuteIndex(uint64_t index, uint64_t count, uint64_t key);

// The windows of a run, in order: those of one set of tokens, or of two in fixed shares. A pure function of its inputs,
// as DataOrder is. Thread-safe.
class Windows {
 public:
  // Every window is of `fresh`, or, of each n windows, about n · `replay_share` (in [0, 1)) are of `replay`, evenly
  // spread. Each set is visited in an order of its own, again and again. The sets are not owned. What
  // DataOrder::Create() returns.
  static absl::StatusOr<Windows> Create(const ShardSet& fresh, const ShardSet* replay, double replay_share,
                                        int64_t context, uint64_t seed);
  // The n-th window of the run: context + 1 tokens.
  void Read(uint64_t n, std::span<TokenId> window) const;

 private:
  struct Set {
    const ShardSet* shards;
    DataOrder order;
  };
  Windows(Set fresh, std::optional<Set> replay, double replay_share)
      : fresh_(fresh), replay_(replay), replay_share_(replay_share) {}
  uint64_t ReplayedBefore(uint64_t n) const;  // of the first n windows

  Set fresh_;
  std::optional<Set> replay_;
  double replay_share_;
};

// Arrays of one batch; `view()` is what the model takes.
class BatchBuffer {
 public:
  BatchBuffer(int64_t sequences, int64_t length);
  // Fills with windows [first, first + sequences) of the run.
  void Fill(const Windows& windows, uint64_t first, uint32_t end_of_text);
  TokenBatch view() const;

 private:
  int64_t sequences_, length_;
  std::vector<uint32_t> window_, tokens_, targets_;
  std::vector<int32_t> starts_;
};

}  // namespace rhodes

#endif  // RHODES_TRAIN_DATA_ORDER_H_
