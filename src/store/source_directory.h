// OUT/records/<source>/ on disk: what its manifest lists is there; anything else is left from a run that did not end.
#ifndef RHODES_STORE_SOURCE_DIRECTORY_H_
#define RHODES_STORE_SOURCE_DIRECTORY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/manifest.h"
#include "table/parquet_parts.h"

namespace rhodes {

inline constexpr char kDuplicatesFile[] = "duplicates.jsonl";
inline constexpr char kRejectsFile[] = "rejects.jsonl";
inline constexpr char kFilesFile[] = "files.jsonl";

// manifest.json of a source: the usual one, and what files hold the records.
struct SourceManifest {
  Manifest manifest;
  std::vector<PartInfo> parts;
  uint64_t duplicates_bytes = 0;  // of duplicates.jsonl; what follows was never committed
  uint64_t rejects_bytes = 0;     // of rejects.jsonl
  uint64_t files_bytes = 0;       // of files.jsonl
};
// NOT_FOUND when nothing was committed; DATA_LOSS when the manifest is damaged.
absl::StatusOr<SourceManifest> ReadSourceManifest(const std::string& directory);
absl::Status WriteSourceManifest(const std::string& directory, const SourceManifest& manifest);

// OUT/records/<source>. A kill while it was being replaced may have left it beside, as <source>.replaced: then that.
std::string SourceDirectory(const std::string& out, const std::string& source);

// INVALID_ARGUMENT (usage) for a name that cannot be a directory and a SQL view, or that differs from another source in
// `out` by upper and lower case alone.
absl::Status CheckSourceName(const std::string& out, const std::string& source);

// Removes what an unfinished run left in `directory`: files that `manifest` does not list, and the ends of the logs.
absl::Status RemoveUncommitted(const std::string& directory, const SourceManifest& manifest);

}  // namespace rhodes

#endif  // RHODES_STORE_SOURCE_DIRECTORY_H_
