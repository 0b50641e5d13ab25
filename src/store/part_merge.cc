#include "store/part_merge.h"

#include <memory>

#include "base/file.h"
#include "base/hash.h"
#include "table/database.h"

namespace rhodes {
namespace {

constexpr uint64_t kClasses[] = {uint64_t{64} << 10, uint64_t{512} << 10, uint64_t{4} << 20};
constexpr size_t kMany = 8;

}  // namespace

size_t SmallPartsAtEnd(std::span<const PartInfo> parts) {
  for (const uint64_t most : kClasses) {
    size_t run = 0;
    while (run < parts.size() && parts[parts.size() - 1 - run].bytes < most) ++run;
    if (run >= kMany) return run;
  }
  return 0;
}

absl::StatusOr<PartInfo> MergeParts(const std::string& directory, const std::vector<PartInfo>& parts, int number) {
  PartInfo merged;
  merged.file = fmt::format("part-{:05}.parquet", number);
  std::string list;
  for (const PartInfo& part : parts) {
    list += (list.empty() ? "" : ", ") + SqlLiteral(directory + "/" + part.file);
    merged.rows += part.rows;
  }
  // One thread: rows keep their order.
  ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, Database::Open({}));
  const std::string target = directory + "/" + merged.file;
  RETURN_IF_ERROR(
      database->Execute(fmt::format("COPY (SELECT * FROM read_parquet([{}], hive_partitioning = false)) TO {} ({})",
                                    list, SqlLiteral(target), kParquetPartFormat)));
  ASSIGN_OR_RETURN(merged.bytes, FileSize(target));
  ASSIGN_OR_RETURN(merged.sha256, Sha256OfFile(target));
  return merged;
}

}  // namespace rhodes
