// rhodes run --follow: a project whose sources never stop, and whose model goes on learning from them.
#ifndef RHODES_PROJECT_FOLLOW_RUN_H_
#define RHODES_PROJECT_FOLLOW_RUN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/run_context.h"
#include "follow/follow.h"
#include "project/cycle.h"

namespace rhodes {

struct FollowRunOptions {
  std::string file;  // rhodes.toml
  bool quick = false;
  int metrics_port = 0;        // as of FollowOptions
  double stop_after_idle = 0;  // as of FollowOptions; a last cycle is made then
  int64_t cycles = 0;          // ends after so many that trained; 0: never
};

struct FollowRunReport {
  std::string project;
  std::string out;
  FollowReport followed;  // since the model was there
  std::vector<CycleReport> cycles;
  double seconds = 0;
};
Json ToJson(const FollowRunReport& report);

// Makes the project's model if there is none (from its files; where it has only streams, once those brought
// FollowSettings::first_records), then follows its streams and, every FollowSettings::every_seconds in which something
// came in, makes a cycle (project/cycle.h). Streams are read and stored while a cycle trains. Holds OUT's lock.
//
// Runs until cancelled (INTERRUPTED; what came in is committed, training has a checkpoint), until nothing came for
// `stop_after_idle`, or until a stream ends with an error that waiting does not mend (which it returns). A cycle that
// fails is said and tried again with the next one; the last one's failure is returned.
//
// UsageError for a project without a source to follow. Memory: a quarter of the budget for streams, the rest for
// cycles.
absl::StatusOr<FollowRunReport> FollowProject(const FollowRunOptions& options, RunContext& context);

}  // namespace rhodes

#endif  // RHODES_PROJECT_FOLLOW_RUN_H_
