// Ranks that are threads of one process: for tests.
#ifndef RHODES_TRAIN_THREAD_TRANSPORT_H_
#define RHODES_TRAIN_THREAD_TRANSPORT_H_

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <tuple>

#include "train/transport.h"

namespace rhodes {

// Where the messages of a group of ranks meet. Thread-safe.
class ThreadHub : public std::enable_shared_from_this<ThreadHub> {
 public:
  static std::shared_ptr<ThreadHub> Create(int size) { return std::shared_ptr<ThreadHub>(new ThreadHub(size)); }
  // That of `rank`, once each.
  std::unique_ptr<Transport> Connect(int rank);
  // From now on nothing from or to this rank arrives, as if its process had been stopped.
  void Silence(int rank);

 private:
  class End;
  struct Message {
    Transport::Request request;
    std::span<const std::byte> from;
    std::span<std::byte> to;
    int poster;
  };
  using Way = std::tuple<int, int, int>;  // from, to, tag
  explicit ThreadHub(int size) : size_(size) {}
  absl::StatusOr<Transport::Request> Post(const Way& way, const Message& message, bool is_send);
  bool TakeDone(Transport::Request request);
  void Leave(int rank);

  const int size_;
  std::mutex mutex_;
  Transport::Request next_ = 1;
  std::map<Way, std::deque<Message>> sends_, receives_;  // of a way at most one has any
  std::set<Transport::Request> done_;
  std::set<int> silent_;
};

}  // namespace rhodes

#endif  // RHODES_TRAIN_THREAD_TRANSPORT_H_
