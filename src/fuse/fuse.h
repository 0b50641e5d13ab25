// The fuse stage: documents out of records, with SQL.
#ifndef RHODES_FUSE_FUSE_H_
#define RHODES_FUSE_FUSE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/run_context.h"
#include "fuse/anomalies.h"
#include "fuse/template.h"
#include "table/database.h"

namespace rhodes {

// How some documents are made. One of `sql` and `source`.
struct FuseView {
  std::string name;  // goes into the documents' meta; later views can select from it
  // A SELECT over `records`, the sources by their names, and earlier views. Its columns:
  //   text VARCHAR                          required; rows where it is NULL or blank make no document (counted)
  //   parents VARCHAR[] or parent VARCHAR   required; ids of the records it was made from
  //   time TIMESTAMP, language VARCHAR, title VARCHAR, meta (struct, map, JSON)   optional
  //   spans STRUCT("begin", "end", parent)[]                                      optional; parent is an id out of
  //     `parents`, or its index there from 0 (as render() and join_parts() of fuse/render.h give it)
  std::string sql;
  // Each record of this source becomes a document of its own.
  std::string source;
  // With `source`: only the records that no earlier view used as a parent.
  bool rest = false;
  // Where `sql` begins, for error messages.
  std::string file;
  int line = 1;
  // With `sql`: the view is made slice by slice of the time line, each from the records whose time is at most `margin`
  // before or behind it; the documents of a slice are those whose `time` falls into it. Slices whose records did not
  // change are taken over.
  struct Slices {
    int64_t every = 0;   // microseconds, positive
    int64_t margin = 0;  // microseconds
  };
  std::optional<Slices> slices = std::nullopt;
  // What CheckView() (fuse/view_check.h) refuses otherwise.
  bool allow_cross_product = false;
  bool allow_nondeterministic = false;
};

struct FuseOptions {
  std::string out;
  std::vector<FuseView> views;              // none: every record becomes a document of its own
  std::vector<TemplateSettings> templates;  // what render() knows
  // A view that cannot be made is noted in the report, and the others are made. Without, it ends the run with nothing
  // changed.
  bool keep_going = false;
  // Documents whose records did not change since the last run are taken over from it. The bytes are the same without.
  bool incremental = true;
  // Records that cannot be right are looked for, said as progress, and noted in the report.
  std::optional<AnomalyOptions> anomalies;
  std::string key;
  Json settings = Json::object();
};

struct FuseReport {
  struct View {
    std::string name;
    uint64_t rows = 0;  // = documents + empty + duplicates
    uint64_t documents = 0;
    uint64_t empty = 0;       // rows without text
    uint64_t duplicates = 0;  // rows that made a document that was there already: same text, same parents
    // Of the documents; these two are not part of the manifest, whose bytes do not depend on what was there before.
    uint64_t made = 0;        // anew
    uint64_t taken_over = 0;  // from the last run
  };
  std::vector<View> views;  // those that were made
  struct Failed {
    std::string name;
    std::string message;  // with file and line
  };
  std::vector<Failed> failed;
  // Of a run with FuseOptions::anomalies after which something changed; not part of the manifest.
  std::optional<AnomalyReport> anomalies;
  uint64_t documents = 0;
  uint64_t text_bytes = 0;
  uint64_t records = 0;                    // = used + the sum of unused
  uint64_t used = 0;                       // records that are a parent of some document
  std::map<std::string, uint64_t> unused;  // by source
  double seconds = 0;
};
// What the manifest has: a function of records and settings alone.
Json ToJson(const FuseReport& report);
// DATA_LOSS when it is no such object.
absl::StatusOr<FuseReport> FuseReportFromJson(const Json& json);
// The same with what this run did: documents made anew and taken over, and seconds.
Json ToRunJson(const FuseReport& report);

// Writes OUT/documents/part-*.parquet (schema: record/record.h) and its manifest, whole or not at all. Documents stand
// in the order of the views, then of their ids; the bytes do not depend on the number of threads. A document's id is
// ContentId({text, parents...}), its sources are those of its parents.
//
// Memory: at most about `context.memory_bytes` (at least 250 MB); beyond it DuckDB spills to OUT/.fuse, which is
// removed at the end. UsageError naming the view and its line when SQL is wrong, lacks a column, or names a parent that
// is no record. With `keep_going` that is in the report, the manifest has no key (so that the stage runs again), and
// only when no view could be made nothing is written and the status says so.
absl::StatusOr<FuseReport> Fuse(const FuseOptions& options, RunContext& context);

// What a view's statement runs in: the records' views, render() and its like; no file outside OUT.
absl::StatusOr<std::unique_ptr<Database>> OpenFuseDatabase(const FuseOptions& options, const RunContext& context);
// How many threads that is, within the memory.
int FuseThreads(const RunContext& context);

// UsageError naming the views that could not be made; OK when there are none.
absl::Status StatusOf(const FuseReport& report);

}  // namespace rhodes

#endif  // RHODES_FUSE_FUSE_H_
