// The bytes of a record as they lie in its file, with some of what stands around them.
#ifndef RHODES_SERVE_RECORD_BYTES_H_
#define RHODES_SERVE_RECORD_BYTES_H_

#include <string>

#include "base/status.h"
#include "record/record.h"

namespace rhodes {

struct RecordBytes {
  std::string before;  // up to `context` bytes before the record
  std::string bytes;   // [origin.begin, origin.end) of the uncompressed file
  std::string after;
};

// Reads a compressed file from its start up to there. NOT_FOUND and the like when the file is gone, OUT_OF_RANGE when
// it is shorter than `origin` says, RESOURCE_EXHAUSTED for a record of more than 64 MiB.
absl::StatusOr<RecordBytes> ReadRecordBytes(const Origin& origin, uint64_t context);

}  // namespace rhodes

#endif  // RHODES_SERVE_RECORD_BYTES_H_
