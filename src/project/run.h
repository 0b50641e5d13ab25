// rhodes run: the whole path of a project, and again only what changed.
#ifndef RHODES_PROJECT_RUN_H_
#define RHODES_PROJECT_RUN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/run_context.h"
#include "project/project_file.h"

namespace rhodes {

struct RunOptions {
  std::string file;  // rhodes.toml
  bool quick = false;
  std::string until;  // the last stage to run; empty: all
};

struct StageReport {
  std::string kind;
  std::string label;
  enum class State { kDone, kUpToDate, kNotReached } state = State::kNotReached;
  double seconds = 0;           // of this run; 0 when up to date
  double recorded_seconds = 0;  // of the run that made the output
  Json counts = Json::object();
};

struct RunReport {
  std::string project;
  std::string file;
  std::string out;
  std::vector<StageReport> stages;
  bool changed = false;  // whether any stage ran
  double seconds = 0;
  uint64_t peak_memory_bytes = 0;    // of this process and the commands it ran
  Json training = Json::object();    // the last line of metrics.jsonl
  Json comparison = Json::object();  // compare/report.json
  Json answers = Json::object();     // answers.json
};

// Runs the stages of the project whose key differs from what lies in its output folder, in order, one at a time. What a
// killed run left is picked up where it stood. Says each stage's outcome through context.progress.
//
// UsageError for the project file and `until`, and for a project whose model was trained further by following
// (project/follow_run.h), which this would replace; FAILED_PRECONDITION when another run is at work in the folder;
// otherwise the first failing stage's error. What the stages before it made stays.
absl::StatusOr<RunReport> RunProject(const RunOptions& options, RunContext& context);

// The same for whoever has loaded the project and holds its folder's lock. Sources that are followed are taken as they
// stand.
absl::StatusOr<RunReport> RunStages(const ProjectFile& project, const std::string& until, RunContext& context);

// The stages with status, seconds and counts, and the values of the table.
Json ToJson(const RunReport& report);
// The table at the end of a run, the answers, and how to go on.
std::string FormatReport(const RunReport& report);

}  // namespace rhodes

#endif  // RHODES_PROJECT_RUN_H_
