// The pieces of document files that can be read by themselves: the units of work of a stage that reads documents.
#ifndef RHODES_RECORD_DOCUMENT_RANGES_H_
#define RHODES_RECORD_DOCUMENT_RANGES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"

namespace rhodes {

// The documents of `file` whose lines begin in its bytes [begin, end). A file that can only be read from its beginning
// (compressed, Parquet) is one range, whatever its size.
struct DocumentRange {
  std::string file;
  uint64_t begin = 0;
  uint64_t end = 0;
  bool by_bytes = false;  // a plain file of lines
  int64_t modified = 0;   // the file's time of change, nanoseconds since 1970
};

// The files that `paths` stand for, as DocumentReader::Open() takes them. NOT_FOUND, INVALID_ARGUMENT.
absl::StatusOr<std::vector<std::string>> DocumentFiles(const std::vector<std::string>& paths);

// All of `paths` in order. Plain files of lines are cut so that there are about 64 ranges in all, of 1 to 16 MiB: the
// same for the same files, whatever the machine.
absl::StatusOr<std::vector<DocumentRange>> DocumentRanges(const std::vector<std::string>& paths);

// Whether `path` is named like a Parquet file (else it holds lines).
bool IsParquetName(const std::string& path);
// Whether it is named like a file of JSON Lines, compressed or not.
bool IsJsonName(const std::string& path);

}  // namespace rhodes

#endif  // RHODES_RECORD_DOCUMENT_RANGES_H_
