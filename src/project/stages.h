// The stages of a project, what each depends on, and whether its output is already there.
#ifndef RHODES_PROJECT_STAGES_H_
#define RHODES_PROJECT_STAGES_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/run_context.h"
#include "project/project_file.h"

namespace rhodes {

// In order: prepare, ingest (once for each source), entities (when the project has any), fuse, curate, tokenize, train,
// trace, ask.
const std::vector<std::string>& StageNames();

struct Stage {
  std::string kind;   // one of StageNames()
  std::string label;  // "ingest packages"
  std::string key;    // hash of its format version, its settings and the keys of what it depends on
  // A JSON file that the stage writes last and that has its key: OUT/corpus/manifest.json.
  std::string record;
  std::vector<std::string> outputs;  // further paths without which it is not up to date
  std::function<absl::Status(RunContext&)> run;
};

// All stages but prepare, in an order in which each stands behind those it depends on: ingest of each source > entities
// > fuse > curate > tokenize > train; trace depends on tokenize, ask on train and trace. The project's input must be
// there.
absl::StatusOr<std::vector<Stage>> PlanStages(const ProjectFile& project);

bool IsUpToDate(const Stage& stage);

// Finishes or undoes what a killed run left half done in OUT's directories, so that the folder is the same as if it had
// not been killed. Moves records of sources that the project no longer has to OUT/unused/ and says so: they would be
// fused otherwise.
absl::Status RecoverOut(const ProjectFile& project, Progress& progress);

}  // namespace rhodes

#endif  // RHODES_PROJECT_STAGES_H_
