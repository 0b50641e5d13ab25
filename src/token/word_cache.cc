#include "token/word_cache.h"

#include <sys/mman.h>

#include <bit>
#include <new>

#include "base/hash.h"
#include "base/huge_pages.h"

namespace rhodes {

void WordCache::Free::operator()(Entry* entries) const { munmap(entries, size * sizeof(Entry)); }

void WordCache::Allocate(size_t size) {
  // Words lie anywhere in the table, and its pages are more than the processor keeps addresses of: huge ones. Memory
  // that the system maps is zero already.
  const size_t bytes = size * sizeof(Entry);
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  AdviseHugePages(memory, bytes);
  entries_ = std::unique_ptr<Entry[], Free>(static_cast<Entry*>(memory), Free{size});
  size_ = size;
  shift_ = 65 - std::countr_zero(size);
  inserted_ = 0;
}

const WordCache::Entry* WordCache::FindBehind(const Key& key, size_t place) {
  Entry* const home = entries_.get() + place;
  for (size_t i = 1; i < kPlaces; ++i) {
    Entry* const entry = entries_.get() + ((place + 2 * i) & (size_ - 1));
    for (size_t side = 0; side < 2; ++side) {
      if (!(entry[side].key == key)) continue;
      std::swap(home[1], entry[side]);
      return home + 1;
    }
    if (entry[1].count == 0) return nullptr;
  }
  return nullptr;
}

void WordCache::Put(const Entry& entry) {
  const size_t place = PlaceOf(entry.key);
  for (size_t i = 0; i < kPlaces; ++i) {
    Entry* const found = entries_.get() + ((place + 2 * i) & (size_ - 1));
    if (found[1].count != 0) continue;
    if (found[0].count != 0) found[1] = found[0];
    found[0] = entry;
    return;
  }
  Entry* const home = entries_.get() + place;
  home[1] = home[0];
  home[0] = entry;
}

void WordCache::Grow() {
  if (inserted_ < size_ / 2 || size_ == kMost) return;
  const std::unique_ptr<Entry[], Free> old = std::move(entries_);
  const size_t old_size = size_;
  Allocate(size_ * 4 > kMost ? kMost : size_ * 4);
  for (size_t i = old_size; i-- > 0;) {  // the newer of two last
    if (old[i].count != 0) Put(old[i]);
  }
}

void WordCache::Clear() {
  std::memset(static_cast<void*>(entries_.get()), 0, size_ * sizeof(Entry));
  more_.clear();
}

LongWordCache::Found LongWordCache::Find(std::string_view word, uint64_t hash) const {
  const auto tag = static_cast<uint32_t>(hash >> 32);
  const Entry* entry = entries_.data() + PlaceOf(tag);
  for (int i = 0; i < 2; ++i, ++entry) {
    if (entry->tag != tag || entry->size != word.size()) continue;
    const char* const ids = stored_.data() + entry->place;
    if (std::memcmp(ids + entry->count * sizeof(TokenId), word.data(), word.size()) != 0) continue;
    return {reinterpret_cast<const TokenId*>(ids), entry->count};
  }
  return {nullptr, 0};
}

void LongWordCache::Insert(std::string_view word, uint64_t hash, const TokenId* ids, size_t count) {
  const size_t bytes = count * sizeof(TokenId) + (word.size() + 3) / 4 * 4;
  if (stored_.size() + bytes > kMostStored) {
    stored_.clear();
    entries_.assign(entries_.size(), Entry());
    inserted_ = 0;
  }
  if (inserted_ >= entries_.size() / 2 && entries_.size() < kMost) Grow();
  const size_t place = stored_.size();
  stored_.resize(place + bytes);
  std::memcpy(stored_.data() + place, ids, count * sizeof(TokenId));
  std::memcpy(stored_.data() + place + count * sizeof(TokenId), word.data(), word.size());
  Put({static_cast<uint32_t>(hash >> 32), static_cast<uint32_t>(place), static_cast<uint16_t>(word.size()),
       static_cast<uint16_t>(count)});
  ++inserted_;
}

void LongWordCache::Put(const Entry& entry) {
  Entry* const place = entries_.data() + PlaceOf(entry.tag);
  if (place[0].size != 0) place[1] = place[0];
  place[0] = entry;
}

void LongWordCache::Grow() {
  const std::vector<Entry> old = std::move(entries_);
  entries_.assign(old.size() * 4 > kMost ? kMost : old.size() * 4, Entry());
  for (size_t i = old.size(); i-- > 0;) {
    if (old[i].size != 0) Put(old[i]);
  }
  inserted_ = 0;
}

}  // namespace rhodes
