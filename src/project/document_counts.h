// What the manifests of documents count, when some of them go.
#ifndef RHODES_PROJECT_DOCUMENT_COUNTS_H_
#define RHODES_PROJECT_DOCUMENT_COUNTS_H_

#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "project/out_tables.h"
#include "store/part_edit.h"

namespace rhodes {

// The counts of the manifest in OUT/`name` without the rows that `rows` (of every folder, by name) removes; null when
// the folder has no manifest of a stage that counts documents. A curated folder counts those of OUT/dropped too.
absl::StatusOr<Json> CountsWithout(const std::string& out, const std::string& name,
                                   const std::vector<DocumentFolder>& folders,
                                   const std::map<std::string, std::vector<EditedRows>>& rows);

// The folder whose rows the lineage of OUT/shards counts in: of those with as many rows, corpus before others. Empty
// when no folder has, or the shards cannot be read.
absl::StatusOr<std::string> FolderOfShards(const std::string& out, const std::vector<DocumentFolder>& folders);

}  // namespace rhodes

#endif  // RHODES_PROJECT_DOCUMENT_COUNTS_H_
