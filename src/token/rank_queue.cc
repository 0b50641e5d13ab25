#include "token/rank_queue.h"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

namespace rhodes {
namespace {

constexpr size_t kFew = 1024;  // numbers that std::sort sorts quicker than Sort() makes its tables

// By digits of 11 bits, the lowest first: linear, where comparing is not.
void Sort(std::vector<uint32_t>& values, std::vector<uint32_t>& scratch) {
  if (values.size() <= kFew) return std::sort(values.begin(), values.end());
  constexpr int kBits = 11;
  constexpr uint32_t kDigits = 1U << kBits;
  const uint32_t most = *std::max_element(values.begin(), values.end());
  scratch.resize(values.size());
  for (int shift = 0; shift < 32 && most >> shift != 0; shift += kBits) {
    std::array<size_t, kDigits> ends = {};
    for (const uint32_t value : values) ++ends[value >> shift & (kDigits - 1)];
    size_t sum = 0;
    for (size_t& end : ends) sum += std::exchange(end, sum);
    for (const uint32_t value : values) scratch[ends[value >> shift & (kDigits - 1)]++] = value;
    values.swap(scratch);
  }
}

}  // namespace

void RankQueue::Begin(uint32_t ranks_end) {
  // All ranks that had items are in the heap, or were emptied.
  for (const uint32_t rank : ranks_) last_[rank] = kNone;
  if (last_.size() < ranks_end) last_.resize(ranks_end, kNone);
  ranks_.clear();
  items_.clear();
  places_.clear();
  next_ = 0;
}

void RankQueue::Push(uint32_t rank, uint32_t place) {
  if (last_[rank] == kNone) {
    ranks_.push_back(rank);
    std::push_heap(ranks_.begin(), ranks_.end(), std::greater<>());
  }
  items_.push_back({place, last_[rank]});
  last_[rank] = static_cast<uint32_t>(items_.size() - 1);
}

bool RankQueue::PopRank(uint32_t& rank) {
  // What a lower rank interrupted waits with the others.
  for (; next_ < places_.size(); ++next_) Push(rank_, places_[next_]);
  if (ranks_.empty()) return false;
  std::pop_heap(ranks_.begin(), ranks_.end(), std::greater<>());
  rank_ = rank = ranks_.back();
  ranks_.pop_back();
  places_.clear();
  next_ = 0;
  for (uint32_t item = last_[rank]; item != kNone; item = items_[item].before) places_.push_back(items_[item].place);
  last_[rank] = kNone;
  std::reverse(places_.begin(), places_.end());
  if (!std::is_sorted(places_.begin(), places_.end())) Sort(places_, scratch_);
  return true;
}

bool RankQueue::PopPlace(uint32_t& place) {
  if (next_ == places_.size() || (!ranks_.empty() && ranks_.front() < rank_)) return false;
  place = places_[next_++];
  return true;
}

}  // namespace rhodes
