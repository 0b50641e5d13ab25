#include "project/out_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"
#include "base/text.h"

namespace rhodes {

absl::StatusOr<OutLock> OutLock::Acquire(const std::string& out) {
  RETURN_IF_ERROR(CreateDirectories(out));
  const std::string path = out + "/.lock";
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) return ErrnoError(errno, "open", path);
  OutLock lock(descriptor);
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return ErrnoError(errno, "lock", path);
    char text[32] = {};
    const ssize_t size = pread(descriptor, text, sizeof(text) - 1, 0);
    const std::string_view holder = Trim(std::string_view(text, size > 0 ? static_cast<size_t>(size) : 0));
    return absl::FailedPreconditionError(fmt::format(
        "{}: another run is at work in this folder{}; wait until it ends, stop it, or use another folder", out,
        holder.empty() ? "" : fmt::format(" (process {})", holder)));
  }
  const std::string holder = fmt::format("{}\n", getpid());
  if (ftruncate(descriptor, 0) != 0 || pwrite(descriptor, holder.data(), holder.size(), 0) < 0) {
    return ErrnoError(errno, "write", path);
  }
  return lock;
}

OutLock::~OutLock() {
  if (descriptor_ < 0) return;
  [[maybe_unused]] const int emptied = ftruncate(descriptor_, 0);  // only the message of another run would be poorer
  close(descriptor_);
}

}  // namespace rhodes
