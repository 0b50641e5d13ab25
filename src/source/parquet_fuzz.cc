// Parquet from any bytes: the check of its pages always; DuckDB's reader only when asked for, for it is not ours to
// mend (RHODES_FUZZ_ROWS=1).
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "source/parquet.h"
#include "source/parquet_check.h"
#include "source/testing.h"

namespace {

void ReadRows(std::string_view bytes) {
  const int file = memfd_create("fuzz.parquet", 0);
  if (file < 0) std::abort();
  if (write(file, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) std::abort();
  rhodes::ReadOptions options;
  options.source = "fuzz";
  auto rows = rhodes::ParquetFormat().OpenRows("/proc/self/fd/" + std::to_string(file), options, uint64_t{64} << 20);
  rhodes::ParsedBlock parsed;
  while (rows.ok()) {
    const auto more = (*rows)->Next(parsed);
    if (!more.ok() || !*more) break;
    parsed.records.clear();
  }
  close(file);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const rhodes::ParquetDamage& damage : rhodes::FindParquetDamage(bytes)) {
    if (damage.reason.empty() || damage.end < damage.begin) std::abort();
  }
  static const bool rows = std::getenv("RHODES_FUZZ_ROWS") != nullptr;
  if (rows) ReadRows(bytes);
  return 0;
}
