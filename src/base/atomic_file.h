// A file written piece by piece that appears whole or not at all.
#ifndef RHODES_BASE_ATOMIC_FILE_H_
#define RHODES_BASE_ATOMIC_FILE_H_

#include <string>
#include <string_view>
#include <utility>

#include "base/status.h"

namespace rhodes {

// Writes to `path`.partial; Commit() syncs it and renames it over `path`. Without Commit() the destructor removes what
// was written, and `path` is as it was. Not buffered: pieces should be large. Not thread-safe.
class AtomicFile {
 public:
  static absl::StatusOr<AtomicFile> Create(const std::string& path);
  AtomicFile(AtomicFile&& other) noexcept : file_(std::exchange(other.file_, -1)), path_(std::move(other.path_)) {}
  AtomicFile& operator=(AtomicFile&&) = delete;
  ~AtomicFile();

  // RESOURCE_EXHAUSTED on a full disk.
  absl::Status Write(std::string_view bytes);
  absl::Status Commit();

 private:
  AtomicFile(int file, std::string path) : file_(file), path_(std::move(path)) {}
  std::string partial() const { return path_ + ".partial"; }

  int file_;  // -1: committed or moved from
  std::string path_;
};

}  // namespace rhodes

#endif  // RHODES_BASE_ATOMIC_FILE_H_
