// Whether a Parquet file's pages are what their headers say: checksums, and levels that begin and end where they must.
#ifndef RHODES_SOURCE_PARQUET_CHECK_H_
#define RHODES_SOURCE_PARQUET_CHECK_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rhodes {

// Rows whose values are not to be trusted.
struct ParquetDamage {
  uint64_t begin = 0;  // rows [begin, end) of the file: a row group
  uint64_t end = 0;
  std::string reason;
};

// Looks at every page of the file `bytes`; the row groups in which one does not match its CRC-32 (DuckDB, which reads
// the rows, does not compare them), or whose repetition and definition levels do not fit the number of its values (of
// pages whose levels are not compressed). What is damaged in ways that a reader of the rows stumbles over is left to
// it. Cost: one pass over pages that have a checksum; only their headers otherwise. Never reads outside of `bytes`.
std::vector<ParquetDamage> FindParquetDamage(std::string_view bytes);

}  // namespace rhodes

#endif  // RHODES_SOURCE_PARQUET_CHECK_H_
