// A part of a model's flat arrays that one rank of a run keeps.
#ifndef RHODES_TRAIN_SHARE_H_
#define RHODES_TRAIN_SHARE_H_

#include <cstdint>

namespace rhodes {

// A part of a flat array, and the rank that sums, updates and keeps it.
struct Share {
  int64_t begin = 0, end = 0;  // elements
  int owner = 0;
  int64_t size() const { return end - begin; }
};

}  // namespace rhodes

#endif  // RHODES_TRAIN_SHARE_H_
