// Checking one source: its manifest, parts, logs, and the records in them.
#ifndef RHODES_PROJECT_CHECK_SOURCE_H_
#define RHODES_PROJECT_CHECK_SOURCE_H_

#include <string>
#include <vector>

#include "base/merkle.h"
#include "project/check.h"
#include "table/parquet_parts.h"

namespace rhodes {

struct SourceTotals {
  uint64_t parts = 0;
  uint64_t records = 0;
  uint64_t bytes = 0;
};

// Adds what is wrong with the source in OUT/`below` to `report`, and its ids, unsorted, to `leaves`.
absl::Status CheckSource(const std::string& out, const std::string& below, CheckReport& report, SourceTotals& totals,
                         std::vector<MerkleLeaf>& leaves, const RunContext& context);

// Parts that a manifest lists against what lies in OUT/`below`: there, size, SHA-256, rows. Adds what is wrong, and the
// bytes that were read.
absl::Status CheckParts(const std::string& out, const std::string& below, const std::vector<PartInfo>& parts,
                        const char* what, const char* repair, CheckReport& report, uint64_t& bytes,
                        const RunContext& context);

// Makes the manifest of the source in OUT/`below` again from its parts, when the manifest or a part is damaged; moves
// damaged parts to OUT/damaged. Says what it did.
absl::Status RepairSource(const std::string& out, const std::string& below, std::vector<std::string>& done);

}  // namespace rhodes

#endif  // RHODES_PROJECT_CHECK_SOURCE_H_
