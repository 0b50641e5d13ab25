// One writer at a time of a source.
#ifndef RHODES_STORE_SOURCE_LOCK_H_
#define RHODES_STORE_SOURCE_LOCK_H_

#include <string>
#include <utility>

#include "base/status.h"

namespace rhodes {

// Holds RECORDS/.SOURCE.lock (flock) while it lives. The system lets go of it when the process ends, however it ends;
// the empty file stays.
class SourceLock {
 public:
  // FAILED_PRECONDITION when somebody holds it already, in this process too.
  static absl::StatusOr<SourceLock> Take(const std::string& records, const std::string& source);
  SourceLock(SourceLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  SourceLock& operator=(SourceLock&&) = delete;
  ~SourceLock();

 private:
  explicit SourceLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace rhodes

#endif  // RHODES_STORE_SOURCE_LOCK_H_
