#include "base/parallel.h"

#include <atomic>

namespace rhodes {

absl::Status ParallelFor(int threads, size_t count, const std::function<absl::Status(size_t)>& body) {
  std::atomic<size_t> next{0};
  std::atomic<bool> failed{false};
  std::mutex mutex;
  size_t failed_index = count;
  absl::Status failure;
  auto worker = [&] {
    while (!failed.load(std::memory_order_relaxed)) {
      const size_t i = next.fetch_add(1);
      if (i >= count) return;
      if (absl::Status status = body(i); !status.ok()) {
        const std::scoped_lock lock(mutex);
        failed = true;
        if (i < failed_index) {
          failed_index = i;
          failure = std::move(status);
        }
      }
    }
  };
  std::vector<std::thread> helpers;
  for (int i = 1; i < threads && static_cast<size_t>(i) < count; ++i) helpers.emplace_back(worker);
  worker();
  for (std::thread& helper : helpers) helper.join();
  return failure;
}

}  // namespace rhodes
