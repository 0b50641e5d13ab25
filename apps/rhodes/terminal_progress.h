// Progress on standard error: one line that is redrawn on a terminal, plain lines now and then elsewhere.
#ifndef RHODES_APPS_RHODES_TERMINAL_PROGRESS_H_
#define RHODES_APPS_RHODES_TERMINAL_PROGRESS_H_

#include <chrono>
#include <mutex>
#include <string>

#include "base/run_context.h"

namespace rhodes {

// Thread-safe.
class TerminalProgress final : public Progress {
 public:
  TerminalProgress();
  void Begin(std::string_view label, uint64_t total, std::string_view unit) override;
  void Update(uint64_t done, std::string_view note) override;
  void End() override;
  void Say(std::string_view line) override;

 private:
  using Clock = std::chrono::steady_clock;
  void Draw(bool last);
  std::string Line() const;

  const bool terminal_;
  std::mutex mutex_;
  bool active_ = false;
  std::string label_;
  std::string unit_;
  std::string note_;
  uint64_t total_ = 0;
  uint64_t done_ = 0;
  Clock::time_point begun_;
  Clock::time_point drawn_;
};

}  // namespace rhodes

#endif  // RHODES_APPS_RHODES_TERMINAL_PROGRESS_H_
