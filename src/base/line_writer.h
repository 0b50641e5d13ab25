// A text file written line by line: logs of rejects, duplicates, metrics.
#ifndef RHODES_BASE_LINE_WRITER_H_
#define RHODES_BASE_LINE_WRITER_H_

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"

namespace rhodes {

// Buffered; an error is remembered and returned by Close(). Not thread-safe.
class LineWriter {
 public:
  // Creates or empties `path`.
  static absl::StatusOr<LineWriter> Create(const std::string& path);
  void Write(std::string_view line);  // a line break is added
  // Flushes to the disk. RESOURCE_EXHAUSTED when it is full. Nothing is certain before.
  absl::Status Close();

 private:
  LineWriter(std::string path, FILE* file) : path_(std::move(path)), file_(file, &fclose) {}
  std::string path_;
  std::unique_ptr<FILE, int (*)(FILE*)> file_;
  int error_ = 0;
};

}  // namespace rhodes

#endif  // RHODES_BASE_LINE_WRITER_H_
