// The prepare stage: the user's own command that brings the input, run when something that it makes is missing.
#ifndef RHODES_PROJECT_PREPARE_H_
#define RHODES_PROJECT_PREPARE_H_

#include <string>
#include <vector>

#include "base/run_context.h"
#include "project/project_file.h"

namespace rhodes {

// Whether all products are there.
bool IsPrepared(const PrepareSettings& settings);

// Runs the command in `directory` with standard input closed; each line that it prints goes to context.progress->Say.
// FAILED_PRECONDITION with its last lines when it ends with another code than 0 or without having made its products;
// INTERRUPTED after it was stopped because the user asked to. It does not outlive this process.
absl::Status Prepare(const PrepareSettings& settings, const std::string& directory, RunContext& context);

}  // namespace rhodes

#endif  // RHODES_PROJECT_PREPARE_H_
