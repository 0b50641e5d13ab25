// Messages between the processes ("ranks") of one run: the little that data parallelism needs from MPI.
#ifndef RHODES_TRAIN_TRANSPORT_H_
#define RHODES_TRAIN_TRANSPORT_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/status.h"

namespace rhodes {

// Not thread-safe: one call at a time, from any thread. Messages of one sender, receiver and tag arrive in the order in
// which they were sent; a receive must have room for exactly what was sent. No call waits.
class Transport {
 public:
  using Request = uint64_t;
  virtual ~Transport() = default;

  virtual int rank() const = 0;  // of this process, from 0
  virtual int size() const = 0;  // ranks in all

  // Begin to send to, or receive from, another rank. The bytes must stay (and those to receive not be looked at) until
  // Test() says so. At most 1 GiB each.
  virtual absl::StatusOr<Request> Send(std::span<const std::byte> bytes, int to, int tag) = 0;
  virtual absl::StatusOr<Request> Receive(std::span<std::byte> bytes, int from, int tag) = 0;
  // True once the request is done; it must not be asked for again then. Moves all requests on.
  virtual absl::StatusOr<bool> Test(Request request) = 0;
  // Gives up on all requests: their memory is not touched any more. Nothing else may be called after it.
  virtual void Abandon() = 0;
};

}  // namespace rhodes

#endif  // RHODES_TRAIN_TRANSPORT_H_
