// What the module librhodes_mpi.so offers: MPI as a table of C functions. The program opens the module only when it was
// started by mpirun or srun, so that without them it needs no MPI library and starts no slower.
#ifndef RHODES_TRAIN_MPI_FUNCTIONS_H_
#define RHODES_TRAIN_MPI_FUNCTIONS_H_

#include <cstdint>

extern "C" {

// All but `abort` return 0, or an MPI error code that `describe` puts into words. Calls come from one thread at a time.
struct RhodesMpiFunctions {
  int version;  // kRhodesMpiVersion of the module
  // MPI_Init; ranks of all; how many share this machine's memory, and the first of them.
  int (*start)(int* rank, int* size, int* local_first, int* local_size);
  int (*send)(const void* bytes, uint64_t count, int to, int tag, uint64_t* request);
  int (*receive)(void* bytes, uint64_t count, int from, int tag, uint64_t* request);
  int (*test)(uint64_t request, int* done);
  void (*abandon)();        // cancels what was asked for
  int (*finish)();          // MPI_Finalize
  void (*abort)(int code);  // ends all ranks
  void (*describe)(int error, char* text, uint64_t size);
};
inline constexpr int kRhodesMpiVersion = 2;

// Exported under this name.
const RhodesMpiFunctions* RhodesMpi();
}

#endif  // RHODES_TRAIN_MPI_FUNCTIONS_H_
