// Splits rows over OpenMP threads. oneDNN runs on the same OpenMP pool, so the two never compete for cores.
#ifndef RHODES_MODEL_KERNELS_THREADS_H_
#define RHODES_MODEL_KERNELS_THREADS_H_

#include <omp.h>

#include <algorithm>
#include <cstdint>

namespace rhodes {

// Calls body(begin, end) for consecutive pieces of [0, count), one piece a thread. Pieces begin at multiples of
// `grain`.
template <typename Body>
void ParallelRanges(int threads, int64_t count, int64_t grain, const Body& body) {
  const int64_t grains = (count + grain - 1) / grain;
  const int64_t team = std::min<int64_t>(threads, grains);
  if (team <= 1) {
    if (count > 0) body(int64_t{0}, count);
    return;
  }
#pragma omp parallel num_threads(static_cast <int>(team))
  {
    const int64_t thread = omp_get_thread_num();
    const int64_t size = omp_get_num_threads();
    const int64_t begin = grains * thread / size * grain;
    const int64_t end = std::min(count, grains * (thread + 1) / size * grain);
    if (begin < end) body(begin, end);
  }
}

// Calls body(task, thread) for every task in [0, count), handed out to threads as they come free. Tasks must not share
// what they write.
template <typename Body>
void ParallelTasks(int threads, int64_t count, const Body& body) {
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
  for (int64_t task = 0; task < count; ++task) body(task, omp_get_thread_num());
}

}  // namespace rhodes

#endif  // RHODES_MODEL_KERNELS_THREADS_H_
