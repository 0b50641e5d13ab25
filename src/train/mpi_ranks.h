// The ranks that mpirun or srun started.
#ifndef RHODES_TRAIN_MPI_RANKS_H_
#define RHODES_TRAIN_MPI_RANKS_H_

#include <memory>

#include "base/status.h"
#include "train/communicator.h"

struct RhodesMpiFunctions;

namespace rhodes {

// How many ranks the environment says this process is one of, by the variables that mpirun and srun set; 1 without.
// UsageError when srun started several tasks without telling them of each other (`srun --mpi=none`): each would train
// for itself, into the same folder.
absl::StatusOr<int> LaunchedRanks();

// The connection to them; one at most in a process. Its calls come from one thread.
class MpiRanks {
 public:
  // Loads the MPI module (librhodes_mpi.so, beside the program or in lib/rhodes) and joins the others. UNAVAILABLE when
  // the module or its library is not there, or the ranks do not see each other.
  static absl::StatusOr<std::unique_ptr<MpiRanks>> Join(int expected);

  Communicator& communicator() { return *communicator_; }
  // How many ranks share this machine, and whether rank 0 is one of them.
  int local_size() const { return local_size_; }
  bool local_root() const { return local_first_ == 0; }

  // The end of work that went well on all ranks (they have met at a barrier): MPI is left in peace.
  absl::Status Leave();
  // Ends all ranks, this one too, with this exit code: one that failed leaves the others waiting for it.
  void Abort(ExitCode code);

 private:
  MpiRanks() = default;
  const RhodesMpiFunctions* mpi_ = nullptr;  // of the module, which is never closed
  std::unique_ptr<Communicator> communicator_;
  int local_first_ = 0, local_size_ = 1;
};

}  // namespace rhodes

#endif  // RHODES_TRAIN_MPI_RANKS_H_
