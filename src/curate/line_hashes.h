// Finds which of a document's lines (or other pieces) stood before.
#ifndef RHODES_CURATE_LINE_HASHES_H_
#define RHODES_CURATE_LINE_HASHES_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace rhodes {

// A set of 64-bit hashes, emptied for every document; open addressing. Two hashes are told apart by all their bits.
// Hashes must be seeded by the text, or mixed with such a seed, so that nobody can choose where they fall. Not
// thread-safe.
class LineHashes {
 public:
  // Empties the set and makes room for `elements`.
  void Reset(size_t elements);
  // Whether `hash` stood before; it does afterwards.
  bool Insert(uint64_t hash);

 private:
  std::vector<uint64_t> slots_;
  uint64_t mask_ = 0;
  bool has_zero_ = false;
};

}  // namespace rhodes

#endif  // RHODES_CURATE_LINE_HASHES_H_
