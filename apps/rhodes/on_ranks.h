// A command's work on the ranks that mpirun or srun started, or in this process alone.
#ifndef RHODES_APPS_RHODES_ON_RANKS_H_
#define RHODES_APPS_RHODES_ON_RANKS_H_

#include <functional>

#include "base/run_context.h"
#include "train/mpi_ranks.h"

namespace rhodes {

// Calls `work` with the ranks (null in a process that is alone) and ends them together. Where context.threads is 0, it
// becomes this rank's part of the machine's cores. An error of any rank ends all of them, and with them this process,
// after it was said; one that all ranks have (a wrong flag, a missing file) is said by rank 0 alone.
absl::Status RunOnRanks(const char* command, RunContext& context, const std::function<absl::Status(MpiRanks*)>& work);

}  // namespace rhodes

#endif  // RHODES_APPS_RHODES_ON_RANKS_H_
