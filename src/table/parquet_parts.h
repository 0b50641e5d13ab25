// Parquet parts: rows in, part-00000.parquet, part-00001.parquet, ... out, compressed beside the thread that feeds
// them.
#ifndef RHODES_TABLE_PARQUET_PARTS_H_
#define RHODES_TABLE_PARQUET_PARTS_H_

#include <cstdint>
#include <deque>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "table/row_chunks.h"

namespace rhodes {

// How every part is written, as the options of COPY ... TO.
extern const char kParquetPartFormat[];

struct PartInfo {
  std::string file;  // without directory
  uint64_t rows = 0;
  uint64_t bytes = 0;  // of the file
  std::string sha256;  // of the file
};

// Appends rows to parts in one directory; a new part begins when the rows of the last one hold `part_bytes`. The bytes
// of a part are a function of its rows alone: each is written by a database of its own with one thread. At most
// `compressing` parts are on their way to the disk at once, which bounds the memory to about (compressing + 1) times
// `part_bytes` and a half. Not thread-safe.
class ParquetPartWriter {
 public:
  struct Options {
    std::string directory;
    std::string columns;  // as in CREATE TABLE: "id VARCHAR, text VARCHAR"
    uint64_t part_bytes = uint64_t{64} << 20;
    int compressing = 2;  // 0: EndRow() waits until a full part is on the disk
    int first_part = 0;   // number of the first part
  };
  static absl::StatusOr<std::unique_ptr<ParquetPartWriter>> Create(const Options& options);
  ~ParquetPartWriter();

  // The current row: set its columns, then EndRow().
  RowChunks& row() { return *open_; }
  // `bytes`: about what the row holds. The part is closed when it is full.
  absl::Status EndRow(uint64_t bytes);
  // Closes the last part and waits for all. No part is written when there were no rows.
  absl::StatusOr<std::vector<PartInfo>> Finish();

 private:
  ParquetPartWriter(Options options, std::shared_ptr<const TableSchema> schema);
  absl::Status Close();
  absl::Status AwaitOldest();

  const Options options_;
  const std::shared_ptr<const TableSchema> schema_;
  std::unique_ptr<RowChunks> open_;
  uint64_t open_bytes_ = 0;
  int next_part_ = 0;
  std::deque<std::future<absl::StatusOr<PartInfo>>> writing_;
  std::vector<PartInfo> written_;
};

}  // namespace rhodes

#endif  // RHODES_TABLE_PARQUET_PARTS_H_
