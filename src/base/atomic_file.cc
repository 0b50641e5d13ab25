#include "base/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"

namespace rhodes {

absl::StatusOr<AtomicFile> AtomicFile::Create(const std::string& path) {
  const std::string partial = path + ".partial";
  const int file = ::open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return ErrnoError(errno, "create", partial);
  return AtomicFile(file, path);
}

AtomicFile::~AtomicFile() {
  if (file_ < 0) return;
  ::close(file_);
  ::unlink(partial().c_str());
}

absl::Status AtomicFile::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return ErrnoError(errno, "write", partial());
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::Status AtomicFile::Commit() {
  // The descriptor stays open until the file has its name, so that the destructor removes it when a step fails.
  if (::fsync(file_) != 0 && errno != EINVAL) return ErrnoError(errno, "sync", partial());
  RETURN_IF_ERROR(Rename(partial(), path_));
  if (::close(std::exchange(file_, -1)) != 0) return ErrnoError(errno, "write", path_);
  return absl::OkStatus();
}

}  // namespace rhodes
