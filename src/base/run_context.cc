#include "base/run_context.h"

#include <algorithm>
#include <thread>

namespace rhodes {
namespace {
class Silent final : public Progress {
  void Begin(std::string_view, uint64_t, std::string_view) override {}
  void Update(uint64_t, std::string_view) override {}
  void End() override {}
  void Say(std::string_view) override {}
};
}  // namespace

Progress& SilentProgress() {
  static Silent silent;
  return silent;
}

int RunContext::Threads() const {
  return threads > 0 ? threads : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

absl::Status RunContext::CheckCancelled() const {
  for (const std::atomic<bool>* flag : {cancelled, stopped}) {
    if (flag != nullptr && flag->load(std::memory_order_relaxed)) return InterruptedError();
  }
  return absl::OkStatus();
}

}  // namespace rhodes
