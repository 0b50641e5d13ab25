// The curation stage: decides which documents are kept, and says why not for each of the others.
#ifndef RHODES_CURATE_CURATE_H_
#define RHODES_CURATE_CURATE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/run_context.h"
#include "curate/curate_report.h"
#include "curate/judging.h"
#include "curate/settings.h"

namespace rhodes {

struct CurateOptions {
  std::vector<std::string> inputs;  // as DocumentReader::Open takes them
  // A stage's output: directories of Parquet parts, OUT/corpus and OUT/dropped; the latter has four more columns,
  // `rule`, `reason`, `cluster` and `kept_id`. Where the rule "near" is on, `clusters` receives a table of its
  // clusters; empty: none is written.
  std::string kept;
  std::string dropped;
  std::string clusters;
  // Or, with `kept` empty: DIRECTORY/kept.EXT, dropped.EXT and manifest.json in the format of the first input.
  std::string directory;
  // Where report.html and statistics.json go (curate/statistics.h); empty: neither is made. Every rule then measures
  // every document, also behind the one that drops it, which takes longer.
  std::string report;
  // Where the items of evaluation sets go that were found in documents, as JSON Lines (OverlapCounts::ItemsHit()),
  // where the rule "overlap" is on; empty: they are counted only.
  std::string overlap_items;
  CurateSettings settings;
  std::string key;  // goes into the manifest of `kept`
};

// Judges all documents of `inputs` in order. What is written is the same for any number of threads. Rules that compare
// documents take those that passed the others (curate/comparison.h). Of copies the first is kept, or that of the source
// with the highest priority. A document's id stays; its text, language and meta (`language_confidence`,
// `language_stated`) become what the rules made of them.
//
// Judged pieces (curate/judging.h) lie in DIRECTORY/.curate, or KEPT.judged.partial, until the output stands: as much
// disk as the texts, and 250 bytes a document for "near". After a kill or an error the same call goes on from them and
// gives the same bytes. Memory: what judging takes, a quarter of
// `context.memory_bytes` for evaluation sets; then a quarter of `context.memory_bytes` for "exact" and "near",
// half of it for "substring", whatever the number of documents; and per thread a piece twice.
//
// What DocumentReader and DocumentWriter return; RESOURCE_EXHAUSTED for a full disk; INTERNAL when the counts do not
// add up. On an error, what stood in `kept` and `dropped` stays.
absl::StatusOr<CurateReport> Curate(const CurateOptions& options, RunContext& context);

// The same as commands of a cluster's scheduler, on a directory that all of them see: CurateRange() judges a share of
// the input and leaves its pieces, and is called for each share, at any time and on any machine; CurateJoin(), called
// when all are done, does the rest. The bytes are those of Curate(). All calls take the same `options`.
// How many documents the share has.
absl::StatusOr<uint64_t> CurateRange(const CurateOptions& options, const InputShare& share, RunContext& context);
// FAILED_PRECONDITION naming the first share that is not judged, or was judged from other inputs or settings.
absl::StatusOr<CurateReport> CurateJoin(const CurateOptions& options, uint32_t shares, RunContext& context);

}  // namespace rhodes

#endif  // RHODES_CURATE_CURATE_H_
