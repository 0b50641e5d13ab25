// Any bytes as a lineage table, with its checksum made right: it is refused, or every document can be looked up.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/hash.h"
#include "token/shard_lineage.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string table(reinterpret_cast<const char*>(data), size);
  const uint64_t checksum = rhodes::Fingerprint(table);
  table.append(reinterpret_cast<const char*>(&checksum), sizeof(checksum));
  const absl::StatusOr<rhodes::Lineage> lineage = rhodes::Lineage::Parse(table, "table");
  if (!lineage.ok()) return 0;
  for (uint64_t d = 0; d < lineage->documents(); ++d) {
    const uint64_t begin = lineage->DocumentBegin(d);
    const uint64_t end = lineage->DocumentBegin(d + 1);
    if (begin > end || end > lineage->header().tokens) abort();
    if (lineage->CorpusRow(d) >= lineage->header().corpus_rows && lineage->header().corpus_rows != 0) abort();
    if (begin < end && lineage->DocumentOf(begin) != d) abort();
  }
  lineage->CheckData(table, "data").IgnoreError();  // whatever it says: that it ends
  return 0;
}
