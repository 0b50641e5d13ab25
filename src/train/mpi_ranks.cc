#include "train/mpi_ranks.h"

#include <dlfcn.h>

#include <cstdlib>

#include "train/mpi_functions.h"

namespace rhodes {
namespace {

int Number(const char* variable) {
  const char* text = std::getenv(variable);
  return text == nullptr ? 0 : std::atoi(text);
}

class MpiTransport final : public Transport {
 public:
  MpiTransport(const RhodesMpiFunctions* mpi, int rank, int size) : mpi_(mpi), rank_(rank), size_(size) {}
  int rank() const override { return rank_; }
  int size() const override { return size_; }
  absl::StatusOr<Request> Send(std::span<const std::byte> bytes, int to, int tag) override {
    Request request = 0;
    const int error = mpi_->send(bytes.data(), bytes.size(), to, tag, &request);
    if (error != 0) return Failed(error, fmt::format("sending {} bytes to rank {}", bytes.size(), to));
    return request;
  }
  absl::StatusOr<Request> Receive(std::span<std::byte> bytes, int from, int tag) override {
    Request request = 0;
    const int error = mpi_->receive(bytes.data(), bytes.size(), from, tag, &request);
    if (error != 0) return Failed(error, fmt::format("receiving {} bytes from rank {}", bytes.size(), from));
    return request;
  }
  absl::StatusOr<bool> Test(Request request) override {
    int done = 0;
    if (const int error = mpi_->test(request, &done); error != 0) return Failed(error, "waiting for a message");
    return done != 0;
  }
  void Abandon() override { mpi_->abandon(); }

 private:
  absl::Status Failed(int error, std::string_view doing) const {
    char text[512] = "";
    mpi_->describe(error, text, sizeof(text));
    return absl::UnavailableError(fmt::format("train: MPI: {}: {}", doing, text));
  }

  const RhodesMpiFunctions* mpi_;
  int rank_, size_;
};

}  // namespace

absl::StatusOr<int> LaunchedRanks() {
  if (const int size = Number("OMPI_COMM_WORLD_SIZE"); size > 0) return size;  // Open MPI's mpirun
  if (const int size = Number("PMI_SIZE"); size > 0) return size;              // other mpiruns, srun --mpi=pmi2
  const int tasks = Number("SLURM_STEP_NUM_TASKS");
  if (tasks < 2) return 1;
  if (std::getenv("PMIX_RANK") != nullptr || std::getenv("PMI_RANK") != nullptr) return tasks;  // srun --mpi=pmix
  return UsageError(
      fmt::format("train: srun started {} tasks that do not know of each other, and each would train for itself: use "
                  "srun --mpi=pmix (srun --mpi=list shows what there is), or one task",
                  tasks));
}

absl::StatusOr<std::unique_ptr<MpiRanks>> MpiRanks::Join(int expected) {
  // Global: Open MPI opens parts of its own that look for its symbols. Never closed: MPI cannot be started twice.
  void* library = dlopen("librhodes_mpi.so", RTLD_NOW | RTLD_GLOBAL);
  if (library == nullptr) {
    return absl::UnavailableError(
        fmt::format("train: started as one of {} ranks, but the MPI module cannot be loaded ({}): install Open MPI "
                    "(libopenmpi3) or start one process",
                    expected, dlerror()));
  }
  const auto entry = reinterpret_cast<const RhodesMpiFunctions* (*)()>(dlsym(library, "RhodesMpi"));
  if (entry == nullptr || entry()->version != kRhodesMpiVersion) {
    return absl::UnavailableError("train: librhodes_mpi.so is of another version than this program: install both anew");
  }
  const RhodesMpiFunctions* mpi = entry();
  auto ranks = std::unique_ptr<MpiRanks>(new MpiRanks);
  int rank = 0, size = 0;
  if (const int error = mpi->start(&rank, &size, &ranks->local_first_, &ranks->local_size_); error != 0) {
    char text[512] = "";
    mpi->describe(error, text, sizeof(text));
    return absl::UnavailableError(fmt::format("train: MPI does not start: {}", text));
  }
  ranks->mpi_ = mpi;
  if (size != expected) {
    return absl::UnavailableError(fmt::format(
        "train: started as one of {} ranks, of which MPI sees {}: mpirun or srun is of another MPI than the one that "
        "rhodes was built with (Open MPI); with srun give --mpi=pmix",
        expected, size));
  }
  ranks->communicator_ = std::make_unique<Communicator>(std::make_unique<MpiTransport>(mpi, rank, size));
  return ranks;
}

absl::Status MpiRanks::Leave() {
  communicator_.reset();  // its thread first
  return mpi_->finish() == 0 ? absl::OkStatus() : absl::UnavailableError("train: MPI does not end");
}

void MpiRanks::Abort(ExitCode code) {
  communicator_.reset();
  mpi_->abort(static_cast<int>(code));
}

}  // namespace rhodes
