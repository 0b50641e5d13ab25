// Threads: a parallel loop, and a pipeline whose results come out in the order of its inputs.
#ifndef RHODES_BASE_PARALLEL_H_
#define RHODES_BASE_PARALLEL_H_

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/status.h"

namespace rhodes {

// Calls `body(i)` for every i in [0, count) on `threads` threads, in no stated order. After the first error no new call
// is begun; of several errors the one with the lowest i is returned, so that the message does not depend on timing.
absl::Status ParallelFor(int threads, size_t count, const std::function<absl::Status(size_t)>& body);

// Runs `produce` -> `work` -> `consume`: `produce` is called on one thread at a time and returns the next input or
// nothing at the end; `work` runs on `threads` threads; `consume` is called on the caller's thread, in the order of the
// inputs whatever the threads do, so that what it writes is the same bytes for any thread count. At most `in_flight`
// inputs are between production and consumption, which bounds the memory. Returns the first error in input order.
template <typename Input, typename Output>
absl::Status OrderedPipeline(int threads, size_t in_flight,
                             const std::function<absl::StatusOr<std::optional<Input>>()>& produce,
                             const std::function<absl::StatusOr<Output>(Input)>& work,
                             const std::function<absl::Status(Output)>& consume) {
  struct Slot {
    std::optional<absl::StatusOr<Output>> result;
  };
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Slot> slots;  // results not yet consumed, oldest first
  size_t first = 0;        // the input number of slots.front()
  size_t next = 0;         // the number of the next input
  bool producing = false;
  bool ended = false;  // no more inputs
  absl::Status produce_status;

  auto worker = [&] {
    std::unique_lock lock(mutex);
    while (true) {
      changed.wait(lock, [&] { return ended || (!producing && slots.size() < in_flight); });
      if (ended) return;
      producing = true;
      lock.unlock();
      absl::StatusOr<std::optional<Input>> input = produce();
      lock.lock();
      producing = false;
      if (!input.ok() || !input->has_value()) {
        if (!input.ok() && !ended) produce_status = input.status();
        ended = true;
        changed.notify_all();
        return;
      }
      const size_t number = next++;
      slots.emplace_back();
      changed.notify_all();
      lock.unlock();
      absl::StatusOr<Output> output = work(std::move(**input));
      lock.lock();
      slots[number - first].result.emplace(std::move(output));
      changed.notify_all();
    }
  };

  std::vector<std::thread> workers;
  workers.reserve(static_cast<size_t>(threads));
  for (int i = 0; i < threads; ++i) workers.emplace_back(worker);
  absl::Status status;
  {
    std::unique_lock lock(mutex);
    while (true) {
      changed.wait(lock,
                   [&] { return (!slots.empty() && slots.front().result.has_value()) || (ended && slots.empty()); });
      if (slots.empty()) break;
      absl::StatusOr<Output> output = *std::move(slots.front().result);
      slots.pop_front();
      ++first;
      changed.notify_all();
      if (!status.ok()) continue;  // draining after an error
      lock.unlock();
      if (output.ok()) {
        status = consume(*std::move(output));
      } else {
        status = output.status();
      }
      lock.lock();
      if (!status.ok()) {
        ended = true;
        changed.notify_all();
      }
    }
  }
  for (std::thread& thread : workers) thread.join();
  return status.ok() ? produce_status : status;
}

}  // namespace rhodes

#endif  // RHODES_BASE_PARALLEL_H_
