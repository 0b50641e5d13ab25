// Memory in large pages, for arrays that are written once or read anywhere: fewer page faults, fewer address look-ups.
#ifndef RHODES_BASE_HUGE_PAGES_H_
#define RHODES_BASE_HUGE_PAGES_H_

#include <cstddef>
#include <vector>

namespace rhodes {

// Asks the system to use huge pages for those that lie wholly in `memory`. Advice: without it all stays the same but
// for the time.
void AdviseHugePages(void* memory, size_t bytes);

// Room for `more` elements behind those of `values`, in huge pages when it is large. Grows by at least a half, so that
// calls for a little more each are no more than a few moves of all.
template <typename T>
void ReserveMore(std::vector<T>& values, size_t more) {
  const size_t needed = values.size() + more;
  if (needed <= values.capacity()) return;
  const size_t least = values.capacity() + values.capacity() / 2;
  values.reserve(needed > least ? needed : least);
  AdviseHugePages(values.data() + values.size(), (values.capacity() - values.size()) * sizeof(T));
}

// `size` times `value`, in huge pages when it is large.
template <typename T>
std::vector<T> HugePageVector(size_t size, const T& value) {
  std::vector<T> values;
  ReserveMore(values, size);
  values.assign(size, value);
  return values;
}

}  // namespace rhodes

#endif  // RHODES_BASE_HUGE_PAGES_H_
