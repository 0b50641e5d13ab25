#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>

namespace rhodes {
namespace fs = std::filesystem;
namespace {

class Descriptor {
 public:
  Descriptor(const std::string& path, int flags, mode_t mode = 0644)
      : value_(open(path.c_str(), flags | O_CLOEXEC, mode)) {}
  ~Descriptor() {
    if (value_ >= 0) close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int value() const { return value_; }
  int Close() { return close(std::exchange(value_, -1)); }

 private:
  int value_;
};

std::string ParentOf(const std::string& path) {
  const std::string parent = fs::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

absl::Status WriteAll(int descriptor, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = write(descriptor, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return ErrnoError(errno, "write", path);
    }
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

}  // namespace

bool PathExists(const std::string& path) {
  std::error_code error;
  return fs::exists(path, error);
}

absl::StatusOr<uint64_t> FileSize(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return ErrnoError(errno, "stat", path);
  return static_cast<uint64_t>(info.st_size);
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::unique_ptr<FILE, decltype(&fclose)> file(fopen(path.c_str(), "rb"), &fclose);
  if (!file) return ErrnoError(errno, "open", path);
  std::string content;
  char buffer[1 << 16];
  while (size_t read = fread(buffer, 1, sizeof(buffer), file.get())) content.append(buffer, read);
  if (ferror(file.get()) != 0) return ErrnoError(errno, "read", path);
  return content;
}

absl::Status SyncPath(const std::string& path) {
  Descriptor descriptor(path, O_RDONLY);
  if (descriptor.value() < 0) return ErrnoError(errno, "open", path);
  if (fsync(descriptor.value()) != 0 && errno != EINVAL) return ErrnoError(errno, "sync", path);
  return absl::OkStatus();
}

namespace {

absl::Status WriteThenRename(const std::string& path, std::string_view bytes, bool sync) {
  const std::string partial = path + ".partial";
  {
    Descriptor descriptor(partial, O_WRONLY | O_CREAT | O_TRUNC);
    if (descriptor.value() < 0) return ErrnoError(errno, "create", partial);
    absl::Status status = WriteAll(descriptor.value(), bytes, partial);
    if (sync && status.ok() && fsync(descriptor.value()) != 0) status = ErrnoError(errno, "sync", partial);
    if (descriptor.Close() != 0 && status.ok()) status = ErrnoError(errno, "close", partial);
    if (!status.ok()) {
      unlink(partial.c_str());
      return status;
    }
  }
  return Rename(partial, path);
}

}  // namespace

absl::Status WriteFileAtomically(const std::string& path, std::string_view bytes) {
  RETURN_IF_ERROR(WriteThenRename(path, bytes, true));
  return SyncPath(ParentOf(path));
}

absl::Status WriteScratchFile(const std::string& path, std::string_view bytes) {
  return WriteThenRename(path, bytes, false);
}

absl::Status CreateDirectories(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return ErrnoError(error.value(), "create directory", path);
  return absl::OkStatus();
}

absl::Status RemoveTree(const std::string& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) return ErrnoError(error.value(), "remove", path);
  return absl::OkStatus();
}

absl::Status Rename(const std::string& from, const std::string& to) {
  if (rename(from.c_str(), to.c_str()) != 0) return ErrnoError(errno, "rename", fmt::format("{} to {}", from, to));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> ListFiles(const std::string& directory) {
  std::vector<std::string> files;
  std::error_code error;
  fs::recursive_directory_iterator it(directory, error);
  if (error) return ErrnoError(error.value(), "list", directory);
  while (it != fs::recursive_directory_iterator()) {
    std::error_code ignored;  // A dangling link is no file; a vanished one neither.
    if (it->is_regular_file(ignored)) files.push_back(it->path().string());
    it.increment(error);
    if (error) return ErrnoError(error.value(), "list", directory);
  }
  std::sort(files.begin(), files.end());
  return files;
}

absl::StatusOr<MappedFile> MappedFile::Open(const std::string& path) {
  Descriptor descriptor(path, O_RDONLY);
  if (descriptor.value() < 0) return ErrnoError(errno, "open", path);
  struct stat info {};
  if (fstat(descriptor.value(), &info) != 0) return ErrnoError(errno, "stat", path);
  if (!S_ISREG(info.st_mode)) return absl::InvalidArgumentError(fmt::format("map {}: not a regular file", path));
  MappedFile file;
  file.size_ = static_cast<size_t>(info.st_size);
  if (file.size_ == 0) return file;
  void* data = mmap(nullptr, file.size_, PROT_READ, MAP_SHARED, descriptor.value(), 0);
  if (data == MAP_FAILED) {
    file.size_ = 0;
    return ErrnoError(errno, "map", path);
  }
  file.data_ = static_cast<const char*>(data);
  return file;
}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(const_cast<char*>(data_), size_);
}

void ReleasePages(std::string_view part) {
  static const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto begin = (reinterpret_cast<uintptr_t>(part.data()) + page - 1) / page * page;
  const auto end = reinterpret_cast<uintptr_t>(part.data() + part.size()) / page * page;
  // Advice: when it is not taken, nothing but memory is lost.
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

StagedDirectory::StagedDirectory(std::string target) : target_(std::move(target)), partial_(target_ + ".partial") {}

StagedDirectory::StagedDirectory(StagedDirectory&& other) noexcept
    : target_(std::move(other.target_)),
      partial_(std::move(other.partial_)),
      active_(std::exchange(other.active_, false)) {}

StagedDirectory::~StagedDirectory() {
  if (active_) RemoveTree(partial_).IgnoreError();  // Only litter is left behind; the next Open() removes it.
}

absl::StatusOr<StagedDirectory> StagedDirectory::Open(const std::string& target) {
  StagedDirectory directory(target);
  // A kill between Commit()'s two renames leaves only `.replaced`: the old output is still whole, so put it back.
  const std::string replaced = target + ".replaced";
  if (PathExists(replaced)) {
    if (PathExists(target)) {
      RETURN_IF_ERROR(RemoveTree(replaced));
    } else {
      RETURN_IF_ERROR(Rename(replaced, target));
    }
  }
  RETURN_IF_ERROR(RemoveTree(directory.partial_));
  RETURN_IF_ERROR(CreateDirectories(directory.partial_));
  directory.active_ = true;
  return directory;
}

absl::Status StagedDirectory::Commit() {
  ASSIGN_OR_RETURN(const std::vector<std::string> files, ListFiles(partial_));
  for (const std::string& file : files) RETURN_IF_ERROR(SyncPath(file));
  RETURN_IF_ERROR(SyncPath(partial_));
  const std::string replaced = target_ + ".replaced";
  if (PathExists(target_)) RETURN_IF_ERROR(Rename(target_, replaced));
  RETURN_IF_ERROR(Rename(partial_, target_));
  active_ = false;
  RETURN_IF_ERROR(SyncPath(ParentOf(target_)));
  return RemoveTree(replaced);
}

}  // namespace rhodes
