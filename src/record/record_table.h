// Records on disk: Parquet parts (zstd) with the schema of record/record.h.
#ifndef RHODES_RECORD_RECORD_TABLE_H_
#define RHODES_RECORD_RECORD_TABLE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "record/record.h"
#include "table/parquet_parts.h"

namespace rhodes {

// The columns as in CREATE TABLE.
extern const char kRecordColumns[];

// About what a record takes in memory: text, original, fields and what holds them together.
uint64_t RecordBytes(const Record& record);

// Writes records in the order they are appended to `directory`/part-NNNNN.parquet, beginning with number `first_part`.
// The bytes are a function of the records and of `first_part` alone. What is not valid UTF-8 becomes U+FFFD, and then
// `original` keeps the text's bytes; of fields or channels with one name, the second becomes "name[2]", and so on.
// `compressing` parts at most are compressed beside the caller's thread; memory: (compressing + 1) * kMemoryPerPart.
// Not thread-safe.
class RecordPartWriter {
 public:
  static absl::StatusOr<std::unique_ptr<RecordPartWriter>> Create(const std::string& directory, int first_part,
                                                                  int compressing);
  // INVALID_ARGUMENT for a text or original of 2 GiB and more.
  absl::Status Append(const Record& record);
  // Closes the last part. RESOURCE_EXHAUSTED on a full disk. No part is made when there were no records.
  absl::StatusOr<std::vector<PartInfo>> Finish();

  static constexpr uint64_t kPartBytes = 64 << 20;  // of text, originals and fields
  static constexpr uint64_t kMemoryPerPart = 2 * kPartBytes;

 private:
  explicit RecordPartWriter(std::unique_ptr<ParquetPartWriter> parts) : parts_(std::move(parts)) {}
  std::unique_ptr<ParquetPartWriter> parts_;
};

}  // namespace rhodes

#endif  // RHODES_RECORD_RECORD_TABLE_H_
