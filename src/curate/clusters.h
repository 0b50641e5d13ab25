// Clusters of duplicates as a table that a person or a script can look into.
#ifndef RHODES_CURATE_CLUSTERS_H_
#define RHODES_CURATE_CLUSTERS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "curate/near.h"
#include "curate/near_entries.h"
#include "table/parquet_parts.h"

namespace rhodes {

// The ids of documents by ordinal. Beyond `memory_bytes` they lie in a file without a name in `directory`; 8 bytes and
// the id each.
class DocumentIds {
 public:
  DocumentIds(const std::string& directory, uint64_t memory_bytes)
      : ends_(directory, memory_bytes / 4), bytes_(directory, memory_bytes / 4 * 3) {}
  // The id of the next ordinal, from 0. A full disk: RESOURCE_EXHAUSTED.
  absl::Status Append(std::string_view id);
  uint64_t size() const { return ends_.size() / sizeof(uint64_t); }
  // OUT_OF_RANGE when `ordinal` has no id. Thread-safe once all are appended.
  absl::StatusOr<std::string> Get(uint64_t ordinal) const;

 private:
  SpilledBytes ends_;
  SpilledBytes bytes_;
};

// Writes `directory`/part-*.parquet with a row for each document that is in a cluster, in the order of the documents:
// cluster UBIGINT (the same for all members; the ordinal of the kept document), id VARCHAR, kept_id VARCHAR (equal to
// id for the kept one). No part when there are no clusters. Memory: a part. The bytes depend on the verdicts alone.
absl::StatusOr<std::vector<PartInfo>> WriteClusters(const NearVerdicts& verdicts, const DocumentIds& ids,
                                                    const std::string& directory);

}  // namespace rhodes

#endif  // RHODES_CURATE_CLUSTERS_H_
