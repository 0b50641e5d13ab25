// Small parts of a source put together.
#ifndef RHODES_STORE_PART_MERGE_H_
#define RHODES_STORE_PART_MERGE_H_

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "table/parquet_parts.h"

namespace rhodes {

// How many parts at the end are to become one; 0: none. Sizes fall into classes (below 64 KiB, 512 KiB, 4 MiB); eight
// or more at the end that are of one class or smaller are merged, so that a row is written again three times at most.
size_t SmallPartsAtEnd(std::span<const PartInfo> parts);

// Writes the rows of `parts`, in order, as `directory`/part-NNNNN.parquet of this number. Memory: some row groups. The
// parts stay.
absl::StatusOr<PartInfo> MergeParts(const std::string& directory, const std::vector<PartInfo>& parts, int number);

}  // namespace rhodes

#endif  // RHODES_STORE_PART_MERGE_H_
