// The first half of curation: a share of the input, judged a piece at a time. Pieces that are done stay on the disk, so
// that a run that was stopped goes on behind them, and shares can be judged by processes of their own.
#ifndef RHODES_CURATE_JUDGING_H_
#define RHODES_CURATE_JUDGING_H_

#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "base/run_context.h"
#include "base/status.h"
#include "curate/settings.h"
#include "record/document_ranges.h"

namespace rhodes {

// Share `number` of `count`, from 1: "3/8".
struct InputShare {
  uint32_t number = 1;
  uint32_t count = 1;
};
// UsageError unless `text` is "K/N" with 1 <= K <= N <= 100000.
absl::StatusOr<InputShare> ParseInputShare(const std::string& text);

struct JudgingOptions {
  std::vector<DocumentRange> ranges;  // all of the input
  std::string directory;              // under which each share has a directory of its own
  std::string key;                    // of everything that decides what the pieces hold
  InputShare share;
  bool measure = false;  // keep what each rule measured
};

struct JudgedShare {
  std::vector<std::string> pieces;  // paths, in the order of the input
  std::vector<uint64_t> documents;  // of each

  uint64_t TotalDocuments() const { return std::accumulate(documents.begin(), documents.end(), uint64_t{0}); }
};

// Judges what is not judged yet. The ranges go to shares by their bytes, in order; a compressed or Parquet file is in
// one share as a whole. The pieces are the same for any number of threads.
//
// Memory: per thread a piece (16 MiB, or the longest document) twice and up to 180 MiB for documents of millions of
// words; batches of files that are read from the front (4 MiB) up to a quarter of `context.memory_bytes`.
absl::StatusOr<JudgedShare> JudgeShare(const JudgingOptions& options, const CurateSettings& settings,
                                       RunContext& context);

// A share that was judged before with the same key. FAILED_PRECONDITION when it was not, or not to its end.
absl::StatusOr<JudgedShare> FindJudgedShare(const std::string& directory, const std::string& key,
                                            const InputShare& share);

}  // namespace rhodes

#endif  // RHODES_CURATE_JUDGING_H_
