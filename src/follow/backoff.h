// Growing pauses between attempts at something that is not there for the moment.
#ifndef RHODES_FOLLOW_BACKOFF_H_
#define RHODES_FOLLOW_BACKOFF_H_

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>

namespace rhodes {

// Exponential back-off with "equal jitter": the n-th pause in a row lies in [p/2, p] for p = first * 2^n, at most
// `most`. The jitter keeps many clients that lost one server from all coming back in the same moment. Not thread-safe.
class Backoff {
 public:
  Backoff(std::chrono::milliseconds most, uint64_t seed) : most_(most), random_(seed) {}

  // The next pause of a row whose first is `first`.
  std::chrono::milliseconds Next(std::chrono::milliseconds first) {
    full_ = full_.count() == 0 ? first : std::max(first, full_ * 2);
    full_ = std::min(full_, most_);
    const int64_t half = full_.count() / 2;
    return std::chrono::milliseconds(half + std::uniform_int_distribution<int64_t>(0, full_.count() - half)(random_));
  }
  // The longest that the last pause could have been; 0 when none was made since Reset().
  std::chrono::milliseconds last() const { return full_; }
  void Reset() { full_ = std::chrono::milliseconds(0); }

 private:
  const std::chrono::milliseconds most_;
  std::chrono::milliseconds full_{0};
  std::mt19937_64 random_;
};

// The longest pause between two attempts, whatever the other side asks for.
inline constexpr std::chrono::milliseconds kLongestPause{60'000};

}  // namespace rhodes

#endif  // RHODES_FOLLOW_BACKOFF_H_
