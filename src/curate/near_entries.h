// What the index of near duplicates writes and reads again: sorted runs of band entries, and bytes by offset.
#ifndef RHODES_CURATE_NEAR_ENTRIES_H_
#define RHODES_CURATE_NEAR_ENTRIES_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"

namespace rhodes {

// A file without a name: it is gone when the process is, however it ends. Reads are thread-safe.
class UnnamedFile {
 public:
  static absl::StatusOr<UnnamedFile> Create(const std::string& directory);
  UnnamedFile() = default;
  UnnamedFile(UnnamedFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  UnnamedFile& operator=(UnnamedFile&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  UnnamedFile(const UnnamedFile&) = delete;
  UnnamedFile& operator=(const UnnamedFile&) = delete;
  ~UnnamedFile();

  bool is_open() const { return descriptor_ >= 0; }
  int descriptor() const { return descriptor_; }
  // A full disk: RESOURCE_EXHAUSTED.
  absl::Status Write(uint64_t offset, const void* bytes, size_t size);
  // DATA_LOSS when the file ends before.
  absl::Status Read(uint64_t offset, void* bytes, size_t size) const;

 private:
  explicit UnnamedFile(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

// Bytes that are appended, then read by offset: in memory up to `memory_bytes`, all in a file beyond.
class SpilledBytes {
 public:
  SpilledBytes(std::string directory, uint64_t memory_bytes)
      : directory_(std::move(directory)), memory_bytes_(memory_bytes) {}
  absl::Status Append(std::span<const uint8_t> bytes);
  uint64_t size() const { return written_ + buffer_.size(); }
  uint64_t spilled_bytes() const { return written_; }
  // Copies `out.size()` bytes from `offset`. Thread-safe once no more are appended.
  absl::Status Read(uint64_t offset, std::span<uint8_t> out) const;

 private:
  static constexpr size_t kPiece = 1 << 20;
  const std::string directory_;
  const uint64_t memory_bytes_;
  UnnamedFile file_;
  uint64_t written_ = 0;
  std::vector<uint8_t> buffer_;  // what is not in the file
};

// A band of a document. Twelve bytes: eight-byte alignment would make it sixteen.
struct BandEntry {
  uint32_t hash_high = 0;
  uint32_t hash_low = 0;
  uint32_t ordinal = 0;

  uint64_t hash() const { return uint64_t{hash_high} << 32 | hash_low; }
};

// Collects the bands of documents; sorts them by (hash, ordinal) a run at a time, each band by itself.
class BandEntries {
 public:
  BandEntries(size_t bands, uint64_t memory_bytes, int threads, std::string directory);
  // Documents in ascending order.
  absl::Status Add(uint32_t ordinal, std::span<const uint64_t> bands);
  // No more will be added. The last run stays in memory when it is the only one.
  absl::Status EndRuns();
  size_t bands() const { return bands_; }
  uint64_t spilled_bytes() const { return file_size_; }
  // Calls `visit` with the ordinals, ascending, of each two or more documents that share a hash in `band`. Groups of
  // more than kGroupPiece come in pieces, each beginning with the last ordinal of the one before it. Memory: a buffer a
  // run, at most `memory_bytes` of the constructor over the number of threads. Thread-safe for distinct bands.
  static constexpr size_t kGroupPiece = 1 << 16;
  using Visit = std::function<absl::Status(std::span<const uint32_t>)>;
  absl::Status ForEachGroup(size_t band, const Visit& visit) const;

 private:
  struct Run {
    uint64_t offset = 0;   // of its first band in the file
    uint64_t entries = 0;  // of each band
  };
  absl::Status SortOpenRun();
  absl::Status WriteOpenRun();

  const size_t bands_;
  const uint64_t memory_bytes_;
  const int threads_;
  const std::string directory_;
  size_t run_documents_;
  std::vector<std::vector<BandEntry>> open_;  // by band
  UnnamedFile file_;
  uint64_t file_size_ = 0;
  std::vector<Run> runs_;
};

}  // namespace rhodes

#endif  // RHODES_CURATE_NEAR_ENTRIES_H_
