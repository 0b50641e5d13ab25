#include "store/line_log.h"

#include <cerrno>

#include "base/file.h"

namespace rhodes {

absl::StatusOr<std::unique_ptr<LineLog>> LineLog::Open(const std::string& path) {
  FILE* file = fopen(path.c_str(), "ae");
  if (file == nullptr) return ErrnoError(errno, "open", path);
  setvbuf(file, nullptr, _IOFBF, 1 << 18);
  return std::unique_ptr<LineLog>(new LineLog(path, file));
}

LineLog::~LineLog() { fclose(file_); }

absl::Status LineLog::Write(std::string_view line) {
  if (fwrite(line.data(), 1, line.size(), file_) != line.size()) return ErrnoError(errno, "write", path_);
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> LineLog::Flush() {
  if (fflush(file_) != 0) return ErrnoError(errno, "write", path_);
  return FileSize(path_);
}

}  // namespace rhodes
