// Files: whole reads, atomic writes, memory maps, directories that appear whole or not at all.
#ifndef RHODES_BASE_FILE_H_
#define RHODES_BASE_FILE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace rhodes {

bool PathExists(const std::string& path);
absl::StatusOr<uint64_t> FileSize(const std::string& path);
absl::StatusOr<std::string> ReadFile(const std::string& path);
// Writes `path`.partial, syncs it and renames it over `path`: a reader sees the old bytes or the new, never a part.
absl::Status WriteFileAtomically(const std::string& path, std::string_view bytes);
// The same without waiting for the disk: whole after a kill, but after a power cut the file may be short or empty. For
// results that can be made again, in files that hold a checksum.
absl::Status WriteScratchFile(const std::string& path, std::string_view bytes);
absl::Status CreateDirectories(const std::string& path);
// Removes a file or a whole tree; a path that is not there is fine.
absl::Status RemoveTree(const std::string& path);
// Atomic on one file system. Replaces a file, not a non-empty directory.
absl::Status Rename(const std::string& from, const std::string& to);
// Regular files below `directory`, recursively, sorted bytewise; hidden ones included; symbolic links to directories
// are not followed (no loops).
absl::StatusOr<std::vector<std::string>> ListFiles(const std::string& directory);
// Flushes a written file and the directory entry of it to the disk.
absl::Status SyncPath(const std::string& path);

// A file mapped read-only. Movable; the bytes live as long as the object. An empty file maps to an empty view.
class MappedFile {
 public:
  static absl::StatusOr<MappedFile> Open(const std::string& path);
  MappedFile() = default;
  MappedFile(MappedFile&& other) noexcept { *this = std::move(other); }
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::string_view bytes() const { return {data_, size_}; }

 private:
  const char* data_ = nullptr;
  size_t size_ = 0;
};

// Lets the system take back the pages that lie wholly in `part` of a MappedFile; they are read again when they are
// looked at again. Without it a process that reads a large file from end to end counts all of it as its memory. Only
// for bytes of a MappedFile: memory of any other kind would lose what it holds.
void ReleasePages(std::string_view part);

// A stage's output directory under construction: files go to path(), which is `target`.partial, emptied first;
// Commit() makes it `target`, replacing what stood there. Without Commit() the destructor removes the partial tree.
// After a kill between the two renames inside Commit(), Open() finishes or undoes the exchange.
class StagedDirectory {
 public:
  static absl::StatusOr<StagedDirectory> Open(const std::string& target);
  StagedDirectory(StagedDirectory&& other) noexcept;
  StagedDirectory& operator=(StagedDirectory&&) = delete;
  ~StagedDirectory();

  const std::string& path() const { return partial_; }
  absl::Status Commit();

 private:
  explicit StagedDirectory(std::string target);
  std::string target_;
  std::string partial_;
  bool active_ = false;
};

}  // namespace rhodes

#endif  // RHODES_BASE_FILE_H_
