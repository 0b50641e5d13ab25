// What every long-running library call is handed: its budget, its seed, where progress goes and whether to stop.
#ifndef RHODES_BASE_RUN_CONTEXT_H_
#define RHODES_BASE_RUN_CONTEXT_H_

#include <atomic>
#include <cstdint>
#include <string_view>

#include "base/status.h"

namespace rhodes {

// Receives progress; library code never prints. Calls come from one thread at a time per stage, but may come from any.
class Progress {
 public:
  virtual ~Progress() = default;
  // A stage begins: `label` such as "ingest packages", `total` in `unit`s ("bytes", "tokens", "documents"); 0: unknown.
  virtual void Begin(std::string_view label, uint64_t total, std::string_view unit) = 0;
  // `done` units so far (absolute, not a difference); `note` is a short text such as "loss 3.21".
  virtual void Update(uint64_t done, std::string_view note) = 0;
  virtual void End() = 0;
  // A line that stays: a sample from the model, a warning.
  virtual void Say(std::string_view line) = 0;
};

// Discards everything.
Progress& SilentProgress();

struct RunContext {
  int threads = 0;                               // 0: as many as the machine has
  uint64_t memory_bytes = uint64_t{2} << 30;     // what a stage may hold at once
  Progress* progress = &SilentProgress();        // not owned
  const std::atomic<bool>* cancelled = nullptr;  // not owned; set by a signal handler
  const std::atomic<bool>* stopped = nullptr;    // a second one, of whoever called: this work is not wanted any more

  int Threads() const;
  // INTERRUPTED once either is set. Cheap: call it once per unit of work.
  absl::Status CheckCancelled() const;
};

}  // namespace rhodes

#endif  // RHODES_BASE_RUN_CONTEXT_H_
