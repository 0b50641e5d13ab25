// Files for intermediate results.
#ifndef RHODES_CURATE_SCRATCH_FILE_H_
#define RHODES_CURATE_SCRATCH_FILE_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace rhodes {

// A file for intermediate results without a name: it goes away with the object or the process, however that ends.
class ScratchFile {
 public:
  static absl::StatusOr<ScratchFile> Create(const std::string& directory);
  ScratchFile(ScratchFile&& other) noexcept;
  ScratchFile& operator=(ScratchFile&& other) noexcept;
  ~ScratchFile();

  // Reserves room behind what there is and writes there. Thread-safe.
  absl::Status Append(const void* bytes, size_t size);
  // Thread-safe for places that do not overlap.
  absl::Status WriteAt(uint64_t offset, const void* bytes, size_t size);
  absl::Status ReadAt(uint64_t offset, void* bytes, size_t size) const;
  uint64_t size() const { return size_.load(); }
  absl::Status Clear();  // gives the room back

 private:
  friend class MappedScratch;
  ScratchFile(int descriptor, std::string directory) : descriptor_(descriptor), directory_(std::move(directory)) {}
  int descriptor_ = -1;
  std::string directory_;
  std::atomic<uint64_t> size_ = 0;
};

// All of a scratch file, mapped read-only. It must not shrink meanwhile; the file object itself may go. ReleasePages()
// applies.
class MappedScratch {
 public:
  static absl::StatusOr<MappedScratch> Map(const ScratchFile& file);
  MappedScratch(MappedScratch&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  MappedScratch& operator=(MappedScratch&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~MappedScratch();

  std::string_view bytes() const { return {data_, size_}; }

 private:
  MappedScratch() = default;
  const char* data_ = nullptr;
  size_t size_ = 0;
};

// Writes a scratch file from front to back through a buffer. Not thread-safe.
class SequentialScratch {
 public:
  static absl::StatusOr<SequentialScratch> Create(const std::string& directory);
  absl::Status Append(const void* bytes, size_t size);
  // Ends the writing; the buffer is kept no longer.
  absl::StatusOr<ScratchFile> Take();

 private:
  explicit SequentialScratch(ScratchFile file) : file_(std::move(file)) {}
  absl::Status Flush();

  ScratchFile file_;
  std::string buffer_;
};

// Reads scratch files one behind the other, as if they were one; a file that was read goes. Not thread-safe.
class SequenceReader {
 public:
  explicit SequenceReader(std::vector<ScratchFile> files) : files_(std::move(files)) {}
  // The next `size` bytes; false when there are none left. DATA_LOSS when there are some, but fewer.
  absl::StatusOr<bool> Read(void* to, size_t size);

 private:
  absl::StatusOr<bool> Fill();

  std::vector<ScratchFile> files_;
  size_t file_ = 0;
  uint64_t offset_ = 0;
  std::string buffer_;
  size_t at_ = 0;
};

}  // namespace rhodes

#endif  // RHODES_CURATE_SCRATCH_FILE_H_
