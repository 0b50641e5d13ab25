#include "curate/line_hashes.h"

#include <algorithm>
#include <bit>

namespace rhodes {

void LineHashes::Reset(size_t elements) {
  const size_t size = std::bit_ceil(std::max<size_t>(16, 2 * elements));
  if (slots_.size() < size) slots_.resize(size);
  std::fill_n(slots_.begin(), size, 0);
  mask_ = size - 1;
  has_zero_ = false;
}

bool LineHashes::Insert(uint64_t hash) {
  if (hash == 0) {  // 0 marks an empty slot
    const bool before = has_zero_;
    has_zero_ = true;
    return before;
  }
  for (size_t at = (hash ^ hash >> 32) & mask_;; at = (at + 1) & mask_) {
    if (slots_[at] == hash) return true;
    if (slots_[at] == 0) {
      slots_[at] = hash;
      return false;
    }
  }
}

}  // namespace rhodes
