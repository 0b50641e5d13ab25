#include "store/source_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

namespace rhodes {

absl::StatusOr<SourceLock> SourceLock::Take(const std::string& records, const std::string& source) {
  const std::string path = fmt::format("{}/.{}.lock", records, source);
  SourceLock lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (lock.descriptor_ < 0) return ErrnoError(errno, "create", path);
  if (flock(lock.descriptor_, LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK) return ErrnoError(errno, "lock", path);
  return absl::FailedPreconditionError(
      fmt::format("source \"{}\" is being written by another run (it holds {}); wait for it or stop it", source, path));
}

SourceLock::~SourceLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace rhodes
