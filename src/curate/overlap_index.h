// Hashes of n-grams and the items they are of, to be looked up.
#ifndef RHODES_CURATE_OVERLAP_INDEX_H_
#define RHODES_CURATE_OVERLAP_INDEX_H_

#include <cstdint>
#include <vector>

namespace rhodes {

// Pairs of a hash of 64 bits and an item, sorted by both; the pairs of one hash are a run. In front of them stands a
// Bloom filter of one word a key (Putze et al. 2007; three bits, 8 to 16 bits a pair): with up to half a million pairs
// it lies in half a megabyte, a part of the second cache, and answers 19 of 20 questions alone. Behind it a table of
// the pairs by their upper bits.
//
// Memory: 12 bytes a pair and up to 4 for filter and table; while pairs come, up to 24.
// Add() and Build() first, then the others, which are thread-safe.
class NgramIndex {
 public:
  struct Pair {
    uint32_t high;  // of the hash
    uint32_t low;
    uint32_t item;
    uint64_t hash() const { return uint64_t{high} << 32 | low; }
    auto operator<=>(const Pair&) const = default;
  };
  static constexpr uint64_t kMostPairs = 0xFFFFFFF0;

  explicit NgramIndex(uint64_t memory_bytes) : memory_bytes_(memory_bytes) {}

  // False when it does not fit into memory. Pairs that are there already take none.
  [[nodiscard]] bool Add(uint64_t hash, uint32_t item);
  void Build();

  uint64_t size() const { return pairs_.size(); }
  const Pair& operator[](uint64_t place) const { return pairs_[place]; }
  // False for sure when the hash is not there.
  bool MayHave(uint64_t hash) const {
    const uint64_t bits = BitsOf(hash);
    return (filter_[hash >> filter_shift_] & bits) == bits;
  }
  // The first pair with this hash, or size().
  uint64_t Find(uint64_t hash) const;

 private:
  // From the lower half of the hash; the upper half says in which word.
  static uint64_t BitsOf(uint64_t hash) {
    return uint64_t{1} << (hash & 63) | uint64_t{1} << (hash >> 6 & 63) | uint64_t{1} << (hash >> 12 & 63);
  }
  bool MakeRoom();
  void SortUnique();

  uint64_t memory_bytes_;
  std::vector<Pair> pairs_;
  std::vector<uint64_t> filter_;
  unsigned filter_shift_ = 58;
  std::vector<uint32_t> begins_;  // pairs before those whose upper bits are at least this
  unsigned begins_shift_ = 63;
};

}  // namespace rhodes

#endif  // RHODES_CURATE_OVERLAP_INDEX_H_
