#include "serve/step_series.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace rhodes {

double StepBucket::Mean(size_t value) const {
  return counts[value] == 0 ? std::numeric_limits<double>::quiet_NaN() : sums[value] / counts[value];
}

void StepBucket::Append(const StepBucket& later) {
  if (later.counts[0] > 0) {
    low = counts[0] > 0 ? std::min(low, later.low) : later.low;
    high = counts[0] > 0 ? std::max(high, later.high) : later.high;
  }
  for (size_t i = 0; i < kValues; ++i) {
    sums[i] += later.sums[i];
    counts[i] += later.counts[i];
  }
  step = later.step;
  tokens = later.tokens;
  seconds = later.seconds;
}

void StepSeries::Add(int64_t step, int64_t tokens, double seconds, const StepBucket::Values& values) {
  StepBucket one;
  one.index = (step - 1) / span_;
  one.step = step;
  one.tokens = tokens;
  one.seconds = seconds;
  for (size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) continue;
    one.sums[i] = values[i];
    one.counts[i] = 1;
  }
  one.low = one.high = one.sums[0];
  if (!buckets_.empty() && buckets_.back().index == one.index) {
    buckets_.back().Append(one);
    return;
  }
  buckets_.push_back(one);
  while (buckets_.size() > most_) {
    Double(buckets_);
    span_ *= 2;
  }
}

// Steps may have gaps: neighbours that do not share a span of the double length stay apart.
void StepSeries::Double(std::vector<StepBucket>& buckets) {
  size_t kept = 0;
  for (size_t i = 0; i < buckets.size(); ++i) {
    StepBucket bucket = buckets[i];
    bucket.index /= 2;
    if (kept > 0 && buckets[kept - 1].index == bucket.index) {
      buckets[kept - 1].Append(bucket);
    } else {
      buckets[kept++] = bucket;
    }
  }
  buckets.resize(kept);
}

StepSeries::Cut StepSeries::Shortened(size_t most) const {
  Cut cut{span_, buckets_};
  while (cut.buckets.size() > std::max<size_t>(1, most)) {
    Double(cut.buckets);
    cut.span *= 2;
  }
  return cut;
}

}  // namespace rhodes
