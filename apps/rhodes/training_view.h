// The live view of a training run on a terminal: the loss curve, and a line on where it stands and how fast it goes.
#ifndef RHODES_APPS_RHODES_TRAINING_VIEW_H_
#define RHODES_APPS_RHODES_TRAINING_VIEW_H_

#include <chrono>
#include <mutex>
#include <string>
#include <vector>

#include "base/run_context.h"
#include "train/train.h"

namespace rhodes {

// Redraws a block of lines on standard error in place. Only for a terminal: elsewhere TerminalProgress says plain
// lines. Thread-safe.
class TrainingView final : public Progress {
 public:
  static bool Suits();  // standard error is a terminal that can move its cursor

  void Begin(std::string_view label, uint64_t total, std::string_view unit) override;
  void Update(uint64_t done, std::string_view note) override;
  void End() override;
  void Say(std::string_view line) override;
  void Add(const StepReport& step);

 private:
  using Clock = std::chrono::steady_clock;
  void Draw();
  void Erase();
  std::vector<std::string> Lines() const;

  std::mutex mutex_;
  bool active_ = false;
  std::string label_;
  std::vector<double> losses_;  // by step
  int64_t first_ = 0;           // step of the first loss, from 0
  StepReport last_;
  double rate_ = 0;  // tokens a second, averaged over the last steps
  Clock::time_point begun_, drawn_;
  size_t lines_ = 0;  // on the screen
};

}  // namespace rhodes

#endif  // RHODES_APPS_RHODES_TRAINING_VIEW_H_
