#include "base/line_writer.h"

#include <unistd.h>

#include <cerrno>

namespace rhodes {

absl::StatusOr<LineWriter> LineWriter::Create(const std::string& path) {
  FILE* file = fopen(path.c_str(), "wbe");
  if (file == nullptr) return ErrnoError(errno, "create", path);
  return LineWriter(path, file);
}

void LineWriter::Write(std::string_view line) {
  if (fwrite(line.data(), 1, line.size(), file_.get()) != line.size() || fputc('\n', file_.get()) == EOF) {
    if (error_ == 0) error_ = errno;
  }
}

absl::Status LineWriter::Close() {
  if (error_ == 0 && (fflush(file_.get()) != 0 || fsync(fileno(file_.get())) != 0)) error_ = errno;
  if (fclose(file_.release()) != 0 && error_ == 0) error_ = errno;
  return error_ == 0 ? absl::OkStatus() : ErrnoError(error_, "write", path_);
}

}  // namespace rhodes
