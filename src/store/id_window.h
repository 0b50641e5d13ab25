// The ids of the last records, in bounded memory.
#ifndef RHODES_STORE_ID_WINDOW_H_
#define RHODES_STORE_ID_WINDOW_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

#include "store/id_set.h"

namespace rhodes {

// Remembers at least the last `capacity` / 2 ids that were inserted, and at most `capacity`: two sets, of which the
// older one is forgotten when the newer is full. Without a capacity nothing is forgotten. Not thread-safe.
class IdWindow {
 public:
  static constexpr uint64_t kBytesPerId = 43;  // of IdSet at its emptiest

  explicit IdWindow(uint64_t capacity = std::numeric_limits<uint64_t>::max()) : capacity_(capacity) {}

  // False when it is remembered already.
  bool Insert(IdKey key) {
    if (older_.Contains(key)) return false;
    if (!newer_.Insert(key)) return false;
    if (newer_.size() >= capacity_ / 2) older_ = std::exchange(newer_, IdSet());
    return true;
  }
  uint64_t capacity() const { return capacity_; }

 private:
  uint64_t capacity_;
  IdSet newer_, older_;
};

}  // namespace rhodes

#endif  // RHODES_STORE_ID_WINDOW_H_
