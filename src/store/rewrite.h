// Records out of a source after the fact: its parts, logs and manifest written again without them, exchanged at once.
#ifndef RHODES_STORE_REWRITE_H_
#define RHODES_STORE_REWRITE_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/run_context.h"
#include "store/part_edit.h"

namespace rhodes {

struct SourceEdit {
  PartEdit rows;  // over the columns of record/record.h
  // Whether a line of rejects.jsonl tells what must not be told: its reason becomes "erased on request". May be empty.
  std::function<bool(std::string_view line)> tells;
  bool locked = false;  // the caller holds the source's lock
};

struct FileChange {
  std::string file;    // within the source's directory
  std::string before;  // SHA-256; empty: it was not there
  std::string after;   // empty: it is gone
};

struct RewriteReport {
  std::vector<std::string> removed;  // ids, in the order of the rows
  std::vector<std::string> masked;
  uint64_t duplicates = 0;        // lines of duplicates.jsonl that went with the records
  uint64_t rejects = 0;           // reasons that went
  std::vector<FileChange> files;  // in the order of their names
  bool any() const { return !files.empty(); }
};

// Writes again the parts of the source in `directory` (OUT/records/NAME) that have rows to remove or mask, and links
// the others beside them; takes the lines of removed records out of duplicates.jsonl; adds to the manifest's counts
// `erased` and `erased_duplicates` (rows = stored - erased; what was read stays what was read). Parts keep their names,
// a part without rows goes. Then the directory is exchanged as a whole: a kill at any instant leaves the old source or
// the new one, and the old one's files are gone when this returns. Nothing is written when there is nothing to do.
//
// Memory: the ids, and one part a thread. NOT_FOUND when there is no such source; FAILED_PRECONDITION while another
// run writes it; INVALID_ARGUMENT with DuckDB's message for a wrong predicate.
absl::StatusOr<RewriteReport> RewriteSource(const std::string& directory, const SourceEdit& edit,
                                            const RunContext& context);

// All records and all logs of a source. Its manifest stays, with its key and `erased` = `stored`, so that SQL which
// names the source goes on working and the source is not read again. In `removed`, all ids.
absl::StatusOr<RewriteReport> EmptySource(const std::string& directory, const RunContext& context);

}  // namespace rhodes

#endif  // RHODES_STORE_REWRITE_H_
