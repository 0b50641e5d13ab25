// What a run of fuse writes: documents, and which unit of work each came from.
#ifndef RHODES_FUSE_FUSE_OUTPUT_H_
#define RHODES_FUSE_FUSE_OUTPUT_H_

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/manifest.h"
#include "base/run_context.h"
#include "base/status.h"
#include "fuse/fuse_state.h"
#include "record/document_table.h"
#include "table/database.h"
#include "table/parquet_parts.h"

namespace rhodes {

// OUT/documents and OUT/.fuse-state under construction: neither is seen before Commit(). Not thread-safe.
class FuseOutput {
 public:
  static absl::StatusOr<FuseOutput> Open(const std::string& out);

  struct Written {
    uint64_t documents = 0;
    uint64_t taken_over = 0;
    uint64_t text_bytes = 0;
  };
  // `rows`: id, text, time, language, sources, parents, meta, spans, unit, those of one document side by side, of which
  // the first is written. `clean` tells which units were taken over.
  absl::StatusOr<Written> Write(QueryResult& rows, const std::vector<bool>& clean, const RunContext& context);
  uint64_t rows() const { return rows_; }  // documents so far

  // Closes the files and notes them in `state`.
  absl::Status Finish(FuseState& state);
  absl::Status Commit(const FuseState& state, Manifest manifest);

 private:
  FuseOutput(StagedDirectory documents, StagedDirectory state)
      : documents_(std::move(documents)), state_(std::move(state)) {}
  absl::Status NoteUnits(const std::set<uint64_t>& units);

  StagedDirectory documents_;
  StagedDirectory state_;
  std::unique_ptr<DocumentWriter> writer_;
  std::unique_ptr<ParquetPartWriter> units_;
  uint64_t rows_ = 0;
};

}  // namespace rhodes

#endif  // RHODES_FUSE_FUSE_OUTPUT_H_
