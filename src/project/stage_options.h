// What a project asks of a stage, for the stages of `rhodes run` and for the cycles of `rhodes follow`. Keys are the
// caller's: they say what output depends on, which is another thing in either.
#ifndef RHODES_PROJECT_STAGE_OPTIONS_H_
#define RHODES_PROJECT_STAGE_OPTIONS_H_

#include <string>

#include "curate/curate.h"
#include "entity/resolve.h"
#include "fuse/fuse.h"
#include "project/ask.h"
#include "project/project_file.h"

namespace rhodes {

ResolveOptions EntityOptionsOf(const ProjectFile& project);
// Without the anomalies' time, which is that of the run.
FuseOptions FuseOptionsOf(const ProjectFile& project);
// The project's documents into corpus, dropped and clusters below `directory`.
CurateOptions CurateOptionsOf(const ProjectFile& project, const std::string& directory);
AskOptions AskOptionsOf(const ProjectFile& project);

}  // namespace rhodes

#endif  // RHODES_PROJECT_STAGE_OPTIONS_H_
