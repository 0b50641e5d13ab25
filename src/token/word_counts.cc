#include "token/word_counts.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/hash.h"
#include "token/splitter.h"

namespace rhodes {
namespace {

constexpr size_t kFirstSlots = 1 << 12;
constexpr size_t kBlockBytes = 1 << 20;

}  // namespace

WordTable::WordTable() : slots_(kFirstSlots) {}

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

void WordTable::Grow() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  const size_t mask = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.word == nullptr) continue;
    size_t at = slot.hash;
    while (slots_[at & mask].word != nullptr) ++at;
    slots_[at & mask] = slot;
  }
}

void WordTable::AddHashed(uint64_t hash, std::string_view word, uint64_t count, bool copy) {
  const size_t mask = slots_.size() - 1;
  for (size_t at = hash;; ++at) {
    Slot& slot = slots_[at & mask];
    if (slot.word == nullptr) {
      slot = {hash, copy ? Keep(word) : word.data(), word.size(), count};
      if (++size_ * 2 > slots_.size()) Grow();
      return;
    }
    if (slot.hash == hash && std::string_view(slot.word, slot.length) == word) {
      slot.count += count;
      return;
    }
  }
}

void WordTable::Add(std::string_view word, uint64_t count, bool copy) {
  AddHashed(Fingerprint(word), word, count, copy);
}

void WordTable::AddText(Pattern pattern, std::string_view text) {
  SplitWords(pattern, text, [&](std::string_view word) {
    for (; word.size() > kLongestWord; word.remove_prefix(kLongestWord)) {
      Add(word.substr(0, kLongestWord), 1, false);
    }
    Add(word, 1, false);
  });
}

void WordTable::Merge(const WordTable& other) {
  for (const Slot& slot : other.slots_) {
    if (slot.word != nullptr) AddHashed(slot.hash, {slot.word, slot.length}, slot.count, true);
  }
}

void WordTable::RemoveRare(uint64_t most) {
  WordTable kept;
  for (const Slot& slot : slots_) {
    if (slot.word != nullptr && slot.count > most) {
      kept.AddHashed(slot.hash, {slot.word, slot.length}, slot.count, true);
    }
  }
  *this = std::move(kept);
}

std::vector<WordCount> WordTable::Sorted() const {
  std::vector<WordCount> words;
  words.reserve(size_);
  for (const Slot& slot : slots_) {
    if (slot.word != nullptr) words.push_back({{slot.word, slot.length}, slot.count});
  }
  std::sort(words.begin(), words.end(), [](const WordCount& a, const WordCount& b) {
    return a.count != b.count ? a.count > b.count : a.word < b.word;
  });
  return words;
}

void WordCounter::Add(const WordTable& batch) {
  table_.Merge(batch);
  if (table_.memory_bytes() <= memory_limit_) return;
  const size_t before = table_.size();
  for (uint64_t most = 1; table_.memory_bytes() > memory_limit_ / 2 && table_.size() > 0; most *= 2) {
    table_.RemoveRare(most);
  }
  forgotten_ += before - table_.size();
}

}  // namespace rhodes
