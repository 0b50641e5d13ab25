// A file of lines, plain or compressed, made of pieces that are compressed by themselves.
#ifndef RHODES_CURATE_LINES_FILE_H_
#define RHODES_CURATE_LINES_FILE_H_

#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"

namespace rhodes {

enum class LinesCompression { kNone, kGzip, kZstd };
// By the name's ending.
LinesCompression CompressionOf(const std::string& path);

// One gzip member (zlib, level 6), one zstd frame (level 3, with checksum), or the bytes themselves. Members and frames
// that follow each other are one file to every reader of the formats (RFC 1952, 8878). Thread-safe.
absl::StatusOr<std::string> CompressLines(std::string lines, LinesCompression compression);

// Writes `path`.partial; Commit() gives it its name. Without, the destructor removes it. Not thread-safe.
class LinesFile {
 public:
  static absl::StatusOr<std::unique_ptr<LinesFile>> Create(const std::string& path);
  virtual ~LinesFile() = default;
  // What CompressLines() gave, one piece behind the other. RESOURCE_EXHAUSTED on a full disk.
  virtual absl::Status Append(std::string_view bytes) = 0;
  virtual absl::Status Finish() = 0;  // all bytes are on the disk
  virtual absl::Status Commit() = 0;
};

}  // namespace rhodes

#endif  // RHODES_CURATE_LINES_FILE_H_
