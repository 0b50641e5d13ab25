// One cycle of `rhodes run --follow`: what came in becomes documents, corpus and shards, and the model goes on
// training.
#ifndef RHODES_PROJECT_CYCLE_H_
#define RHODES_PROJECT_CYCLE_H_

#include <atomic>
#include <cstdint>
#include <mutex>
#include <shared_mutex>
#include <string>

#include "base/json.h"
#include "base/run_context.h"
#include "project/project_file.h"

namespace rhodes {

// What cycles and the threads that follow streams hold against each other.
struct CycleLocks {
  std::shared_mutex commits;         // shared by a source's commit; alone by what reads all records
  std::mutex folders;                // by what writes documents, corpus, shards, trace and model, or erases from them
  std::atomic<bool> writing{false};  // folders is held by a cycle, or about to be
  std::atomic<bool> voided{false};   // an erasure took the cycle's text away: it must begin anew
};

struct CycleReport {
  enum class Outcome {
    kTrained,    // the model took the place of the one before
    kRefused,    // every attempt forgot too much: model, corpus and trace stay as they were, the text waits
    kTooLittle,  // less new text than a cycle needs: it waits
    kVoided      // an erasure came in between
  } outcome = Outcome::kTooLittle;
  int64_t cycle = 0;       // counted from 1
  uint64_t documents = 0;  // in the corpus
  uint64_t new_documents = 0;
  uint64_t new_tokens = 0;  // of the training split
  int64_t attempts = 0;
  // Of the last attempt.
  int64_t steps = 0;
  int64_t tokens = 0;
  double replay = 0;
  double learning_rate = 0;
  struct Losses {        // nats a token; negative: there was nothing to measure on
    double first = -1;   // of the model that following began with
    double before = -1;  // of the model before this cycle
    double after = -1;
  };
  Losses old_validation;  // the first model's validation documents, as far as they are still there
  Losses new_validation;  // those that came in since the last cycle
  double seconds = 0;
};
Json ToJson(const CycleReport& report);
std::string FormatCycle(const CycleReport& report);

// Makes OUT/next and trains there, then exchanges corpus, dropped, shards, trace, model, checkpoints and metrics of OUT
// for those, all in one step (project/follow_state.h). Called again after a kill it goes on where it stood. OUT/follow
// must be there, and OUT's lock be held by the caller.
//
// The model that comes out is as good as the one before on the first model's validation set, within
// FollowSettings::max_forgetting; a share of earlier text is read again for that (replay). What the stages return;
// INTERRUPTED when `context` is cancelled.
absl::StatusOr<CycleReport> RunCycle(const ProjectFile& project, CycleLocks& locks, RunContext& context);

}  // namespace rhodes

#endif  // RHODES_PROJECT_CYCLE_H_
