// One run at a time in an output folder.
#ifndef RHODES_PROJECT_OUT_LOCK_H_
#define RHODES_PROJECT_OUT_LOCK_H_

#include <string>
#include <utility>

#include "base/status.h"

namespace rhodes {

// Holds OUT/.lock (flock) while it lives. The system lets go of it when the process ends, in whatever way; the file,
// which has the holder's process id in it, stays.
class OutLock {
 public:
  // Creates `out` when it is not there. FAILED_PRECONDITION naming the process that holds the lock.
  static absl::StatusOr<OutLock> Acquire(const std::string& out);
  OutLock(OutLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  OutLock& operator=(OutLock&&) = delete;
  ~OutLock();

 private:
  explicit OutLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace rhodes

#endif  // RHODES_PROJECT_OUT_LOCK_H_
