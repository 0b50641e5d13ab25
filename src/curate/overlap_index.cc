#include "curate/overlap_index.h"

#include <algorithm>
#include <bit>

namespace rhodes {
namespace {
constexpr size_t kLeastRoom = size_t{1} << 14;
}

bool NgramIndex::Add(uint64_t hash, uint32_t item) {
  if (pairs_.size() == pairs_.capacity() && !MakeRoom()) return false;
  pairs_.push_back({static_cast<uint32_t>(hash >> 32), static_cast<uint32_t>(hash), item});
  return true;
}

// Once half of the room is taken by different pairs, twice as much; while it grows, both lie in memory.
bool NgramIndex::MakeRoom() {
  SortUnique();
  const uint64_t room = pairs_.capacity();
  if (pairs_.size() < room / 2) return true;
  const uint64_t most = std::min<uint64_t>(memory_bytes_ / sizeof(Pair), kMostPairs);
  const uint64_t wanted = std::max<uint64_t>(2 * room, kLeastRoom);
  // What is gained must be worth sorting again.
  const uint64_t grown = most < room ? 0 : std::min(wanted, most - room);
  if (grown > room + room / 4 || (room == 0 && grown > 0)) {
    pairs_.reserve(grown);
    return true;
  }
  return pairs_.size() < room - room / 4;
}

void NgramIndex::SortUnique() {
  std::sort(pairs_.begin(), pairs_.end());
  pairs_.erase(std::unique(pairs_.begin(), pairs_.end()), pairs_.end());
}

void NgramIndex::Build() {
  SortUnique();
  const uint64_t eighth = std::max<uint64_t>(pairs_.size() / 8, 32);
  const auto bits = static_cast<unsigned>(std::bit_width(eighth));  // 2^bits is more than an eighth, at most a quarter
  filter_.assign(size_t{1} << bits, 0);
  filter_shift_ = 64 - bits;
  begins_.assign((size_t{1} << bits) + 1, 0);
  begins_shift_ = 64 - bits;
  for (const Pair& pair : pairs_) {
    filter_[pair.hash() >> filter_shift_] |= BitsOf(pair.hash());
    ++begins_[(pair.hash() >> begins_shift_) + 1];
  }
  for (size_t i = 1; i < begins_.size(); ++i) begins_[i] += begins_[i - 1];
}

uint64_t NgramIndex::Find(uint64_t hash) const {
  const uint64_t upper = hash >> begins_shift_;
  const auto begin = pairs_.begin() + begins_[upper];
  const auto end = pairs_.begin() + begins_[upper + 1];
  const auto found = std::lower_bound(begin, end, hash, [](const Pair& pair, uint64_t h) { return pair.hash() < h; });
  if (found == end || found->hash() != hash) return pairs_.size();
  return static_cast<uint64_t>(found - pairs_.begin());
}

}  // namespace rhodes
