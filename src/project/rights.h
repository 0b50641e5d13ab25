// Whether a model may be trained on the project's sources.
#ifndef RHODES_PROJECT_RIGHTS_H_
#define RHODES_PROJECT_RIGHTS_H_

#include <string>
#include <vector>

#include "base/json.h"
#include "base/status.h"
#include "project/project_file.h"
#include "store/record_store.h"

namespace rhodes {

// The rights to the project's sources before anything is read: as stated, or what the source's format gives.
std::vector<SourceRights> StatedRights(const ProjectFile& project);
// The rights as OUT records them for `sources`; where training is not stated, the readers that were met decide.
// A source that OUT does not hold is left out.
absl::StatusOr<std::vector<SourceRights>> RecordedRights(const std::string& out,
                                                         const std::vector<std::string>& sources);

// FAILED_PRECONDITION-like usage error that names every source whose training is not "allowed", with the reason and
// what to do; OK when `override_reason` is not empty.
absl::Status CheckTrainingRights(const std::vector<SourceRights>& rights, const std::string& override_reason);

// For a model's manifest: {"rights": [{source, licence, owner, training, reason, retention}...],
// "rights_override": reason}.
Json RightsForManifest(const std::vector<SourceRights>& rights, const std::string& override_reason);

// All three for a training on `sources` of OUT: what goes into the model's manifest, or why there must be none.
absl::StatusOr<Json> TrainingRights(const std::string& out, const std::vector<std::string>& sources,
                                    const std::string& override_reason);

// The sources of the documents that a directory of shards was made of, from its manifest; empty when it says nothing.
absl::StatusOr<std::vector<std::string>> SourcesOfShards(const std::string& shards);

}  // namespace rhodes

#endif  // RHODES_PROJECT_RIGHTS_H_
