// Lines that broke off with their connection: until it is known whether the server sends them again.
#ifndef RHODES_FOLLOW_BROKEN_LINES_H_
#define RHODES_FOLLOW_BROKEN_LINES_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/status.h"
#include "source/format.h"

namespace rhodes {

// Keeps no bytes, but length and hash of each beginning: whether a whole line begins so is all that matters. A
// beginning of fewer than kShortest bytes could be that of many lines, and is rejected at once. Not thread-safe.
class BrokenLines {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr size_t kShortest = 64;
  static constexpr size_t kMost = 64;         // more than these at once: the oldest is rejected
  static constexpr uint64_t kLines = 10'000;  // so many lines behind it, it does not come again

  // `file`: of the rejects. `patience`: for how long a connection may go on before the line counts as lost.
  BrokenLines(std::string file, Clock::duration patience) : file_(std::move(file)), patience_(patience) {}

  // [begin, begin + bytes.size()) of the stream broke off.
  void Add(std::string_view bytes, uint64_t begin, ParsedBlock& out);
  // A new connection begins to give lines.
  void Connected(Clock::time_point now);
  // A whole line, without its newline.
  void See(std::string_view line);
  // Rejects what has not come again in time.
  void Expire(Clock::time_point now, ParsedBlock& out);
  bool empty() const { return broken_.empty(); }

  // An array; `unfinished` is what would break off if the process ended now.
  Json ToJson(std::string_view unfinished, uint64_t begin) const;
  absl::Status FromJson(const Json& json);

 private:
  struct Broken {
    uint64_t begin = 0;
    uint64_t size = 0;
    uint64_t hash = 0;
    uint64_t lines = 0;      // whole ones seen since
    bool connected = false;  // `until` counts
    Clock::time_point until{};
  };
  void Reject(const Broken& broken, std::string_view why, ParsedBlock& out) const;

  const std::string file_;
  const Clock::duration patience_;
  std::deque<Broken> broken_;
};

}  // namespace rhodes

#endif  // RHODES_FOLLOW_BROKEN_LINES_H_
