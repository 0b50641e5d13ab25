// librhodes_mpi.so: the functions of train/mpi_functions.h by the MPI library that this was built with.
#include <mpi.h>

#include <cstdio>
#include <unordered_map>

#include "train/mpi_functions.h"

namespace {

struct State {
  MPI_Comm all = MPI_COMM_NULL;
  std::unordered_map<uint64_t, MPI_Request> requests;
  uint64_t next = 1;
};
State& TheState() {
  static State state;
  return state;
}

int Start(int* rank, int* size, int* local_first, int* local_size) {
  int provided = 0;
  // Messages are moved on by a thread of their own, one call at a time.
  if (const int error = MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided); error != MPI_SUCCESS) {
    return error;
  }
  if (provided < MPI_THREAD_SERIALIZED) return MPI_ERR_OTHER;
  State& state = TheState();
  MPI_Comm_dup(MPI_COMM_WORLD, &state.all);
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  MPI_Comm_set_errhandler(state.all, MPI_ERRORS_RETURN);
  MPI_Comm_rank(state.all, rank);
  MPI_Comm_size(state.all, size);
  MPI_Comm local;
  if (const int error = MPI_Comm_split_type(state.all, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &local);
      error != MPI_SUCCESS) {
    return error;
  }
  MPI_Comm_size(local, local_size);
  if (const int error = MPI_Allreduce(rank, local_first, 1, MPI_INT, MPI_MIN, local); error != MPI_SUCCESS)
    return error;
  return MPI_Comm_free(&local);
}

int Keep(int error, MPI_Request request, uint64_t* id) {
  if (error != MPI_SUCCESS) return error;
  State& state = TheState();
  *id = state.next++;
  state.requests.emplace(*id, request);
  return MPI_SUCCESS;
}

int Send(const void* bytes, uint64_t count, int to, int tag, uint64_t* id) {
  MPI_Request request;
  const int error = MPI_Isend(bytes, static_cast<int>(count), MPI_BYTE, to, tag, TheState().all, &request);
  return Keep(error, request, id);
}

int Receive(void* bytes, uint64_t count, int from, int tag, uint64_t* id) {
  MPI_Request request;
  const int error = MPI_Irecv(bytes, static_cast<int>(count), MPI_BYTE, from, tag, TheState().all, &request);
  return Keep(error, request, id);
}

int Test(uint64_t id, int* done) {
  State& state = TheState();
  const auto found = state.requests.find(id);
  if (found == state.requests.end()) return MPI_ERR_REQUEST;
  const int error = MPI_Test(&found->second, done, MPI_STATUS_IGNORE);
  if (error != MPI_SUCCESS || *done != 0) state.requests.erase(found);
  return error;
}

void Abandon() {
  State& state = TheState();
  for (auto& [id, request] : state.requests) {
    MPI_Cancel(&request);
    MPI_Request_free(&request);
  }
  state.requests.clear();
}

int Finish() {
  Abandon();
  return MPI_Finalize();
}

void Abort(int code) { MPI_Abort(MPI_COMM_WORLD, code); }

void Describe(int error, char* text, uint64_t size) {
  char words[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(error, words, &length);
  std::snprintf(text, size, "%s", words);
}

}  // namespace

const RhodesMpiFunctions* RhodesMpi() {
  static const RhodesMpiFunctions functions = {kRhodesMpiVersion, &Start,  &Send,  &Receive, &Test,
                                               &Abandon,          &Finish, &Abort, &Describe};
  return &functions;
}
