// Lines added to the end of a file.
#ifndef RHODES_STORE_LINE_LOG_H_
#define RHODES_STORE_LINE_LOG_H_

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/status.h"

namespace rhodes {

// Buffered; what was written is in the file after Flush() or the object's end. Not thread-safe.
class LineLog {
 public:
  static absl::StatusOr<std::unique_ptr<LineLog>> Open(const std::string& path);
  ~LineLog();
  LineLog(const LineLog&) = delete;
  LineLog& operator=(const LineLog&) = delete;

  absl::Status Write(std::string_view line);
  // The file's size with all that was written.
  absl::StatusOr<uint64_t> Flush();

 private:
  LineLog(std::string path, FILE* file) : path_(std::move(path)), file_(file) {}
  const std::string path_;
  FILE* file_;
};

}  // namespace rhodes

#endif  // RHODES_STORE_LINE_LOG_H_
