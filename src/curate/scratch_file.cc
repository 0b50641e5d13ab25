#include "curate/scratch_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace rhodes {
namespace {

constexpr size_t kBufferBytes = size_t{1} << 20;

}  // namespace

absl::StatusOr<ScratchFile> ScratchFile::Create(const std::string& directory) {
  std::string path = directory + "/scratch-XXXXXX";
  const int descriptor = mkostemp(path.data(), O_CLOEXEC);
  if (descriptor < 0) return ErrnoError(errno, "create", path);
  if (unlink(path.c_str()) != 0) {
    const int error = errno;
    close(descriptor);
    return ErrnoError(error, "unlink", path);
  }
  return ScratchFile(descriptor, directory);
}

ScratchFile::ScratchFile(ScratchFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      directory_(std::move(other.directory_)),
      size_(other.size_.exchange(0)) {}

ScratchFile& ScratchFile::operator=(ScratchFile&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(directory_, other.directory_);
  size_ = other.size_.exchange(size_.load());
  return *this;
}

ScratchFile::~ScratchFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

absl::Status ScratchFile::Append(const void* bytes, size_t size) { return WriteAt(size_.fetch_add(size), bytes, size); }

absl::Status ScratchFile::WriteAt(uint64_t offset, const void* bytes, size_t size) {
  const char* from = static_cast<const char*>(bytes);
  while (size > 0) {
    const ssize_t written = pwrite(descriptor_, from, size, static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return ErrnoError(errno, "write intermediate results below", directory_);
    from += written;
    offset += static_cast<uint64_t>(written);
    size -= static_cast<size_t>(written);
  }
  return absl::OkStatus();
}

absl::Status ScratchFile::ReadAt(uint64_t offset, void* bytes, size_t size) const {
  char* to = static_cast<char*>(bytes);
  while (size > 0) {
    const ssize_t got = pread(descriptor_, to, size, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoError(errno, "read intermediate results below", directory_);
    if (got == 0) {
      return absl::DataLossError(fmt::format("intermediate results below {}: {} bytes are missing", directory_, size));
    }
    to += got;
    offset += static_cast<uint64_t>(got);
    size -= static_cast<size_t>(got);
  }
  return absl::OkStatus();
}

absl::Status ScratchFile::Clear() {
  if (ftruncate(descriptor_, 0) != 0) return ErrnoError(errno, "empty intermediate results below", directory_);
  size_ = 0;
  return absl::OkStatus();
}

absl::StatusOr<MappedScratch> MappedScratch::Map(const ScratchFile& file) {
  MappedScratch mapped;
  const uint64_t size = file.size();
  if (size == 0) return mapped;
  void* const data = mmap(nullptr, size, PROT_READ, MAP_SHARED, file.descriptor_, 0);
  if (data == MAP_FAILED) return ErrnoError(errno, "map intermediate results below", file.directory_);
  mapped.data_ = static_cast<const char*>(data);
  mapped.size_ = size;
  return mapped;
}

MappedScratch::~MappedScratch() {
  if (data_ != nullptr) munmap(const_cast<char*>(data_), size_);
}

absl::StatusOr<SequentialScratch> SequentialScratch::Create(const std::string& directory) {
  ASSIGN_OR_RETURN(ScratchFile file, ScratchFile::Create(directory));
  return SequentialScratch(std::move(file));
}

absl::Status SequentialScratch::Append(const void* bytes, size_t size) {
  if (buffer_.size() + size > kBufferBytes) RETURN_IF_ERROR(Flush());
  if (size > kBufferBytes) return file_.Append(bytes, size);
  buffer_.append(static_cast<const char*>(bytes), size);
  return absl::OkStatus();
}

absl::Status SequentialScratch::Flush() {
  RETURN_IF_ERROR(file_.Append(buffer_.data(), buffer_.size()));
  buffer_.clear();
  return absl::OkStatus();
}

absl::StatusOr<ScratchFile> SequentialScratch::Take() {
  RETURN_IF_ERROR(Flush());
  buffer_ = {};
  return std::move(file_);
}

// Reads a piece into the buffer; false at the end of the last file.
absl::StatusOr<bool> SequenceReader::Fill() {
  buffer_.clear();
  at_ = 0;
  while (file_ < files_.size()) {
    ScratchFile& file = files_[file_];
    if (offset_ < file.size()) {
      buffer_.resize(std::min<uint64_t>(kBufferBytes, file.size() - offset_));
      RETURN_IF_ERROR(file.ReadAt(offset_, buffer_.data(), buffer_.size()));
      offset_ += buffer_.size();
      return true;
    }
    RETURN_IF_ERROR(file.Clear());
    ++file_;
    offset_ = 0;
  }
  return false;
}

absl::StatusOr<bool> SequenceReader::Read(void* to, size_t size) {
  char* out = static_cast<char*>(to);
  for (size_t left = size; left > 0;) {
    if (at_ == buffer_.size()) {
      ASSIGN_OR_RETURN(const bool more, Fill());
      if (!more && left == size) return false;
      if (!more) return absl::DataLossError(fmt::format("intermediate results: {} bytes are missing", left));
    }
    const size_t piece = std::min(left, buffer_.size() - at_);
    std::memcpy(out, buffer_.data() + at_, piece);
    out += piece;
    at_ += piece;
    left -= piece;
  }
  return true;
}

}  // namespace rhodes
