// A curve of any length in bounded memory.
#ifndef RHODES_SERVE_STEP_SERIES_H_
#define RHODES_SERVE_STEP_SERIES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace rhodes {

// What is known of a span of steps.
struct StepBucket {
  static constexpr size_t kValues = 4;
  using Values = std::array<double, kValues>;

  int64_t index = 0;   // covers the steps index · span + 1 to (index + 1) · span
  int64_t step = 0;    // the last one seen
  int64_t tokens = 0;  // after that step, of the whole run
  double seconds = 0;  // of training, after that step, of the whole run
  Values sums = {};    // of the values that are numbers
  std::array<uint32_t, kValues> counts = {};
  double low = 0, high = 0;  // of value 0; meaningless when counts[0] is 0

  // NaN when no step had the value.
  double Mean(size_t value) const;
  // Takes in `later`, which follows it.
  void Append(const StepBucket& later);
};

// Spans of equal length in the order of their steps; whenever there are more than `most`, their length doubles. What a
// series holds depends on the steps that were added alone. Amortised constant time a step.
class StepSeries {
 public:
  explicit StepSeries(size_t most) : most_(most) {}

  // `step` is at least 1 and not before the last one; values that are no finite numbers count as not there.
  void Add(int64_t step, int64_t tokens, double seconds, const StepBucket::Values& values);
  bool empty() const { return buckets_.empty(); }
  const StepBucket& last() const { return buckets_.back(); }

  struct Cut {
    int64_t span = 1;
    std::vector<StepBucket> buckets;
  };
  // The whole series in at most `most` (at least 1) spans.
  Cut Shortened(size_t most) const;

 private:
  static void Double(std::vector<StepBucket>& buckets);

  size_t most_;
  int64_t span_ = 1;
  std::vector<StepBucket> buckets_;
};

}  // namespace rhodes

#endif  // RHODES_SERVE_STEP_SERIES_H_
