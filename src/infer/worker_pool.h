// Threads that stay awake between the many short phases of a decoding step.
#ifndef RHODES_INFER_WORKER_POOL_H_
#define RHODES_INFER_WORKER_POOL_H_

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace rhodes {

// A step has dozens of phases of some microseconds each, so workers spin for a moment before they sleep. (Not OpenMP:
// its idle threads spin for milliseconds, which a server that mostly waits would pay for.) Used by one thread at a
// time, which works along.
class WorkerPool {
 public:
  explicit WorkerPool(int threads);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  // Calls body(task, thread) for every task in [0, tasks), handed out as threads come free; returns when all are done.
  // `thread` is in [0, threads()).
  template <typename Body>
  void Run(int64_t tasks, const Body& body) {
    if (workers_.empty() || tasks <= 1) {
      for (int64_t task = 0; task < tasks; ++task) body(task, 0);
      return;
    }
    Start(
        tasks,
        [](const void* context, int64_t task, int thread) { (*static_cast<const Body*>(context))(task, thread); },
        &body);
  }

 private:
  using Call = void (*)(const void* context, int64_t task, int thread);
  void Start(int64_t tasks, Call call, const void* context);
  void Work(int thread);
  void TakeTasks(int thread);

  std::vector<std::thread> workers_;
  Call call_ = nullptr;
  const void* context_ = nullptr;
  int64_t tasks_ = 0;
  alignas(64) std::atomic<int64_t> next_{0};
  alignas(64) std::atomic<uint32_t> round_{0};
  alignas(64) std::atomic<uint32_t> busy_{0};
  std::atomic<bool> ending_{false};
};

}  // namespace rhodes

#endif  // RHODES_INFER_WORKER_POOL_H_
