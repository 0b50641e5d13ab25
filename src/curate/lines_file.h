// A file of lines, plain or compressed.
#ifndef RHODES_CURATE_LINES_FILE_H_
#define RHODES_CURATE_LINES_FILE_H_

#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"

namespace rhodes {

// Writes `path`.partial; Commit() syncs it and gives it its name. Without, the destructor removes it. Compressed by the
// path's ending: .gz (zlib, level 6), .zst (Zstandard, level 3), else plain. RESOURCE_EXHAUSTED on a full disk.
class LinesFile {
 public:
  static absl::StatusOr<std::unique_ptr<LinesFile>> Create(const std::string& path);
  virtual ~LinesFile() = default;
  virtual absl::Status Append(std::string_view bytes) = 0;
  virtual absl::Status Finish() = 0;  // all bytes are in the file
  virtual absl::Status Commit() = 0;
  virtual const std::string& partial() const = 0;  // the file as long as it is not committed
};

}  // namespace rhodes

#endif  // RHODES_CURATE_LINES_FILE_H_
