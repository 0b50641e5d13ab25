// Parts as a manifest lists them: [{"file", "rows", "bytes", "sha256"}].
#ifndef RHODES_TABLE_PART_LIST_H_
#define RHODES_TABLE_PART_LIST_H_

#include <string>
#include <vector>

#include "base/json.h"
#include "table/parquet_parts.h"

namespace rhodes {

Json PartsToJson(const std::vector<PartInfo>& parts);
// DATA_LOSS naming `path` when a member is missing.
absl::StatusOr<std::vector<PartInfo>> PartsFromJson(const Json& json, const std::string& path);
// Size and hash of files that are no tables, for the same list.
absl::StatusOr<std::vector<PartInfo>> DescribeFiles(const std::string& directory,
                                                    const std::vector<std::string>& names);

}  // namespace rhodes

#endif  // RHODES_TABLE_PART_LIST_H_
