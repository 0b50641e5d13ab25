// The data file of a shard while it is written: whole blocks at a time, on several threads, each with its checksum, so
// that the file is never read again.
#ifndef RHODES_TOKEN_SHARD_DATA_FILE_H_
#define RHODES_TOKEN_SHARD_DATA_FILE_H_

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "token/shard_lineage.h"

namespace rhodes {

// What one document puts into a file: a few bytes of the format's own, and bytes that lie elsewhere.
struct ShardPiece {
  const uint8_t* bytes = nullptr;
  uint64_t size = 0;
  std::array<uint8_t, 15> head{};
  uint8_t head_size = 0;
};

// Not thread-safe. Memory: a block (kLineageBlockBytes), and one a thread while pieces are appended.
class ShardDataFile {
 public:
  static absl::StatusOr<std::unique_ptr<ShardDataFile>> Create(const std::string& path);
  ~ShardDataFile();
  ShardDataFile(const ShardDataFile&) = delete;
  ShardDataFile& operator=(const ShardDataFile&) = delete;

  // Appends the pieces one after another; `threads` share the blocks that they fill. The bytes of the pieces are needed
  // only during the call.
  absl::Status Append(std::span<const ShardPiece> pieces, int threads);
  absl::Status Append(std::string_view bytes);
  // Puts `bytes`, a block at most, in the place of the first ones of the file.
  absl::Status ReplaceBegin(std::string_view bytes);
  // Everything is in; checksums() are complete.
  absl::Status Close();

  const BlockChecksums& checksums() const { return checksums_; }

 private:
  ShardDataFile(std::string path, int descriptor);
  absl::Status WriteAt(uint64_t offset, const uint8_t* bytes, uint64_t size) const;
  // Bytes [begin, end) of what is left of the last call and the pieces behind it, to `to`.
  void Fill(std::span<const ShardPiece> pieces, uint64_t begin, uint64_t end, uint8_t* to) const;

  const std::string path_;
  int descriptor_;
  std::vector<uint8_t> rest_;   // what does not fill a block yet
  std::vector<uint64_t> ends_;  // of the pieces of a call, counted from the first byte of rest_
  BlockChecksums checksums_;
};

}  // namespace rhodes

#endif  // RHODES_TOKEN_SHARD_DATA_FILE_H_
