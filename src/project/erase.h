// rhodes erase: what somebody has a right to have forgotten goes from an output folder, from records to shards.
#ifndef RHODES_PROJECT_ERASE_H_
#define RHODES_PROJECT_ERASE_H_

#include <string>
#include <vector>

#include "base/json.h"
#include "base/run_context.h"
#include "project/erase_plan.h"

namespace rhodes {

struct EraseOptions {
  std::string out;
  EraseSelector selector;
  std::string receipt;   // a file; empty: OUT/erasures/TIME.json
  bool dry_run = false;  // says what would go, changes nothing
};

// Erases what the selector names, and what was made from it: records and their duplicates' lines, documents, shards,
// trace index, answers. Remembers (store/suppression.h) what must not come back. The steps are written down first
// (OUT/.erase.json): after a kill at any instant, the same call, FinishErasure(), `rhodes run` or `rhodes check
// --repair` goes on and ends with the same files. Returns the receipt (docs/forgetting.md), which is also written.
//
// Takes OUT's lock: FAILED_PRECONDITION while another run is at work. UsageError for a selector that names nothing or
// two things. DATA_LOSS when a file that would have to be read is damaged: then nothing was changed.
// FAILED_PRECONDITION naming files that are not Rhodes' own and hold an erased text; all else is done then.
absl::StatusOr<Json> Erase(const EraseOptions& options, RunContext& context);

// Goes on with an erasure that a kill interrupted. The caller holds OUT's lock. The receipt; null when there is none.
absl::StatusOr<Json> FinishErasure(const std::string& out, RunContext& context);
// The same for callers without the lock.
absl::StatusOr<Json> ResumeErasure(const std::string& out, RunContext& context);

// Carries out on the stored records what notices have taken back since (store/takedown_list.h), and on what was made
// from them. There is no receipt. Kill-safe in the same way. The caller holds OUT's lock; see ApplyTakedowns() for
// others.
struct TakedownReport {
  uint64_t records = 0;
  uint64_t masked = 0;
  uint64_t documents = 0;
};
absl::StatusOr<TakedownReport> CarryOutTakedowns(const std::string& out, RunContext& context);
// Whether there is anything for CarryOutTakedowns() to look at.
absl::StatusOr<bool> TakedownsPending(const std::string& out);
// The same for callers without the lock. FAILED_PRECONDITION while another run is at work: that run does it at its end,
// or the next one.
absl::StatusOr<TakedownReport> ApplyTakedowns(const std::string& out, RunContext& context);

// For records whose rows are gone from the sources already, or have lost a value that documents may hold: everything
// that was made from them goes. Nothing is remembered, and there is no receipt. The caller holds OUT's lock. The number
// of documents that went.
absl::StatusOr<uint64_t> EraseRecordIds(const std::string& out, const std::vector<std::string>& ids,
                                        RunContext& context);

// A few lines for people about a receipt.
std::string FormatReceipt(const Json& receipt, const std::string& path);

}  // namespace rhodes

#endif  // RHODES_PROJECT_ERASE_H_
