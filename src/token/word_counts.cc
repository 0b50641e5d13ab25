#include "token/word_counts.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "token/word_starts.h"

namespace rhodes {
namespace {

constexpr int kFirstBits = 6;
constexpr size_t kBlockBytes = 1 << 16;

}  // namespace

WordTable::WordTable() { Clear(); }

void WordTable::Clear() {
  short_.assign(size_t{1} << kFirstBits, ShortSlot());
  short_.shrink_to_fit();
  short_shift_ = 64 - kFirstBits;
  short_size_ = 0;
  long_.assign(size_t{1} << kFirstBits, LongSlot());
  long_.shrink_to_fit();
  long_size_ = 0;
  blocks_.clear();
  block_left_ = 0;
  block_at_ = nullptr;
  kept_bytes_ = 0;
}

const char* WordTable::Keep(std::string_view word) {
  if (block_left_ < word.size()) {
    const size_t bytes = std::max(kBlockBytes, word.size());
    blocks_.push_back(std::make_unique<char[]>(bytes));
    block_at_ = blocks_.back().get();
    block_left_ = bytes;
    kept_bytes_ += bytes;
  }
  char* kept = block_at_;
  std::memcpy(kept, word.data(), word.size());
  block_at_ += word.size();
  block_left_ -= word.size();
  return kept;
}

void WordTable::GrowShort() {
  std::vector<ShortSlot> old(short_.size() * 2);
  old.swap(short_);
  --short_shift_;
  const size_t mask = short_.size() - 1;
  for (const ShortSlot& slot : old) {
    if (slot.high == 0) continue;
    size_t at = Hash(slot.low, slot.high) >> short_shift_;
    while (short_[at & mask].high != 0) ++at;
    short_[at & mask] = slot;
  }
}

void WordTable::GrowLong() {
  std::vector<LongSlot> old(long_.size() * 2);
  old.swap(long_);
  const size_t mask = long_.size() - 1;
  for (const LongSlot& slot : old) {
    if (slot.word == nullptr) continue;
    size_t at = slot.hash;
    while (long_[at & mask].word != nullptr) ++at;
    long_[at & mask] = slot;
  }
}

uint64_t& WordTable::LongCount(std::string_view word) {
  const uint64_t hash = Fingerprint(word);
  if (2 * (long_size_ + 1) > long_.size()) GrowLong();
  const size_t mask = long_.size() - 1;
  for (size_t at = hash;; ++at) {
    LongSlot& slot = long_[at & mask];
    if (slot.word == nullptr) {
      ++long_size_;
      slot = {hash, Keep(word), word.size(), 0};
      return slot.count;
    }
    if (slot.hash == hash && std::string_view(slot.word, slot.length) == word) return slot.count;
  }
}

uint64_t& WordTable::CountOf(std::string_view word) {
  if (word.size() > kInline) return LongCount(word);
  uint64_t low;
  uint64_t high;
  MakeKey(word, word.data() + word.size(), low, high);
  return ShortCount(low, high);
}

template <Pattern kPattern>
void WordTable::AddWords(std::string_view text) {
  // A word is counted some words after it was read: by then its slot, which lies anywhere in memory, has come.
  struct Waiting {
    uint64_t low;
    uint64_t high;
    uint64_t hash;
  };
  constexpr size_t kWaiting = 16;
  Waiting waiting[kWaiting];
  size_t met = 0;
  const auto add = [&](std::string_view word, const char* end) {
    for (; word.size() > kLongestWord; word.remove_prefix(kLongestWord)) ++LongCount(word.substr(0, kLongestWord));
    if (word.size() > kInline) {
      ++LongCount(word);
      return;
    }
    Waiting& place = waiting[met % kWaiting];
    if (met >= kWaiting) ++ShortCount(place.low, place.high, place.hash);
    ++met;
    MakeKey(word, end, place.low, place.high);
    place.hash = Hash(place.low, place.high);
    __builtin_prefetch(&short_[(place.hash >> short_shift_) & (short_.size() - 1)], 1);
  };
  WordStarts found;
  SplitByStretches<kPattern>(
      text, found,
      [&](const char* base, const WordStarts& starts) {
        const char* const end = base + starts.begins[starts.words] + ClassMasks::kPadding;
        for (size_t i = 0; i < starts.words; ++i) {
          add({base + starts.begins[i], size_t{starts.begins[i + 1]} - starts.begins[i]}, end);
        }
      },
      [&](std::string_view word) { add(word, text.data() + text.size()); });
  for (size_t i = 0; i < std::min(met, kWaiting); ++i) ++ShortCount(waiting[i].low, waiting[i].high, waiting[i].hash);
}

void WordTable::AddText(Pattern pattern, std::string_view text) {
  switch (pattern) {
    case Pattern::kGpt2:
      return AddWords<Pattern::kGpt2>(text);
    case Pattern::kLlama3:
      return AddWords<Pattern::kLlama3>(text);
    case Pattern::kQwen2:
      return AddWords<Pattern::kQwen2>(text);
    case Pattern::kO200k:
      return AddWords<Pattern::kO200k>(text);
    case Pattern::kCl100k:
      return AddWords<Pattern::kCl100k>(text);
  }
}

void WordTable::Merge(const WordTable& other) {
  other.ForEach([this](std::string_view word, uint64_t count) { Add(word, count); });
}

std::vector<WordCount> WordTable::Sorted() const {
  std::vector<WordCount> words;
  words.reserve(size());
  ForEach([&](std::string_view word, uint64_t count) { words.push_back({word, count}); });
  std::sort(words.begin(), words.end(), [](const WordCount& a, const WordCount& b) {
    return a.count != b.count ? a.count > b.count : a.word < b.word;
  });
  return words;
}

}  // namespace rhodes
