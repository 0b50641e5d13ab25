#include "on_ranks.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <new>
#include <thread>

namespace rhodes {
namespace {

// How long another rank leaves rank 0 to say the same.
constexpr auto kFirstWord = std::chrono::seconds(2);

// The cores are shared out among the ranks of a machine, and none uses more than mpirun or srun bound it to.
int ThreadsOfRank(int local_size) {
  cpu_set_t mine;
  CPU_ZERO(&mine);
  const int share = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)) / local_size;
  // Fails where the machine has more cores than the set has room for.
  const int bound = sched_getaffinity(0, sizeof(mine), &mine) == 0 ? CPU_COUNT(&mine) : share;
  return std::max(1, std::min(bound, share));
}

}  // namespace

absl::Status RunOnRanks(const char* command, RunContext& context, const std::function<absl::Status(MpiRanks*)>& work) {
  ASSIGN_OR_RETURN(const int launched, LaunchedRanks());
  if (launched < 2) return work(nullptr);
  ASSIGN_OR_RETURN(const std::unique_ptr<MpiRanks> mpi, MpiRanks::Join(launched));
  if (context.threads == 0) context.threads = ThreadsOfRank(mpi->local_size());
  absl::Status status;
  try {
    status = work(mpi.get());
  } catch (const std::bad_alloc&) {
    status = absl::ResourceExhaustedError("memory is not to be had");
  } catch (const std::exception& error) {  // left to itself it would end this process alone
    status = absl::InternalError(error.what());
  }
  if (status.ok()) return mpi->Leave();
  const int rank = mpi->communicator().rank();
  if (rank != 0) std::this_thread::sleep_for(kFirstWord);
  std::fprintf(stderr, "rhodes %s: rank %d of %d: %s\n", command, rank, launched, Message(status).c_str());
  std::fflush(nullptr);
  mpi->Abort(ExitCodeOf(status));
  return status;
}

}  // namespace rhodes
