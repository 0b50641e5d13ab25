#include "train/data_order.h"

#include <algorithm>

namespace rhodes {
namespace {

uint64_t Mix(uint64_t x) {  // SplitMix64
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

}  // namespace

uint64_t PermuteIndex(uint64_t index, uint64_t count, uint64_t key) {
  int half = 1;
  while (half < 32 && (uint64_t{1} << (2 * half)) < count) ++half;
  const uint64_t mask = (uint64_t{1} << half) - 1;
  // Walking: the domain is at most four times `count`, so a value falls outside of it a few times at most.
  do {
    uint64_t left = index >> half;
    uint64_t right = index & mask;
    for (uint64_t round = 0; round < 4; ++round) {
      const uint64_t next = left ^ (Mix(right ^ Mix(key + round)) & mask);
      left = right;
      right = next;
    }
    index = left << half | right;
  } while (index >= count);
  return index;
}

absl::StatusOr<DataOrder> DataOrder::Create(uint64_t tokens, int64_t context, uint64_t seed) {
  if (tokens < static_cast<uint64_t>(context) + 1) {
    return absl::InvalidArgumentError(fmt::format(
        "train: the shards hold {} tokens; a context of {} needs at least {}: use a shorter context or more "
        "text",
        tokens, context, context + 1));
  }
  return DataOrder((tokens - 1) / static_cast<uint64_t>(context), static_cast<uint64_t>(context), seed);
}

DataOrder::DataOrder(uint64_t windows, uint64_t context, uint64_t seed)
    : windows_(windows), context_(context), seed_(seed) {}

uint64_t DataOrder::Position(uint64_t n) const {
  const uint64_t epoch = n / windows_;
  const uint64_t key = Mix(seed_ ^ Mix(epoch));
  const uint64_t offset = epoch == 0 ? 0 : key % context_;  // reading past the end wraps to the start
  return PermuteIndex(n % windows_, windows_, key) * context_ + offset;
}

absl::StatusOr<Windows> Windows::Create(const ShardSet& fresh, const ShardSet* replay, double replay_share,
                                        int64_t context, uint64_t seed) {
  ASSIGN_OR_RETURN(const DataOrder order, DataOrder::Create(fresh.token_count(), context, seed));
  if (replay == nullptr || replay_share <= 0) return Windows({&fresh, order}, std::nullopt, 0);
  ASSIGN_OR_RETURN(const DataOrder again, DataOrder::Create(replay->token_count(), context, Mix(seed)));
  return Windows({&fresh, order}, Set{replay, again}, replay_share);
}

uint64_t Windows::ReplayedBefore(uint64_t n) const {
  return static_cast<uint64_t>(static_cast<double>(n) * replay_share_);
}

void Windows::Read(uint64_t n, std::span<TokenId> window) const {
  const uint64_t replayed = ReplayedBefore(n);
  const bool is_replay = ReplayedBefore(n + 1) > replayed;
  const Set& set = is_replay ? *replay_ : fresh_;
  set.shards->Read(set.order.Position(is_replay ? replayed : n - replayed), window);
}

BatchBuffer::BatchBuffer(int64_t sequences, int64_t length)
    : sequences_(sequences),
      length_(length),
      window_(length + 1),
      tokens_(sequences * length),
      targets_(sequences * length),
      starts_(sequences * length) {}

void BatchBuffer::Fill(const Windows& windows, uint64_t first, uint32_t end_of_text) {
  for (int64_t s = 0; s < sequences_; ++s) {
    windows.Read(first + static_cast<uint64_t>(s), window_);
    std::copy(window_.begin(), window_.end() - 1, tokens_.begin() + s * length_);
    std::copy(window_.begin() + 1, window_.end(), targets_.begin() + s * length_);
  }
  DocumentStarts(tokens_, length_, end_of_text, starts_);
}

TokenBatch BatchBuffer::view() const { return {sequences_, length_, tokens_, targets_, starts_}; }

}  // namespace rhodes
