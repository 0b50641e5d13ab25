#include "training_view.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "train/loss_curve.h"

namespace rhodes {
namespace {

constexpr std::chrono::milliseconds kRedraw{250};
constexpr size_t kRows = 8;
constexpr double kNewest = 0.1;  // weight of the newest step's rate

size_t TerminalWidth() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 20) return 80;
  return size.ws_col;
}

std::string Duration(double seconds) {
  const auto whole = static_cast<int64_t>(seconds + 0.5);
  return whole >= 3600 ? fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60)
                       : fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace

bool TrainingView::Suits() {
  const char* terminal = std::getenv("TERM");
  return isatty(STDERR_FILENO) == 1 && terminal != nullptr && std::string_view(terminal) != "dumb";
}

void TrainingView::Begin(std::string_view label, uint64_t, std::string_view) {
  End();
  const std::scoped_lock lock(mutex_);
  active_ = true;
  label_ = label;
  begun_ = drawn_ = Clock::now();
}

void TrainingView::Update(uint64_t, std::string_view) {
  const std::scoped_lock lock(mutex_);
  if (active_ && Clock::now() - drawn_ >= kRedraw) Draw();
}

void TrainingView::End() {
  const std::scoped_lock lock(mutex_);
  if (active_) Draw();
  active_ = false;
  lines_ = 0;
}

void TrainingView::Say(std::string_view line) {
  const std::scoped_lock lock(mutex_);
  Erase();
  fmt::print(stderr, "{}\n", line);
  if (active_) Draw();
}

void TrainingView::Add(const StepReport& step) {
  const std::scoped_lock lock(mutex_);
  if (losses_.empty()) first_ = step.step - 1;
  const int64_t place = std::max<int64_t>(0, step.step - 1 - first_);
  losses_.resize(static_cast<size_t>(place));  // a run that went back forgets what came after
  losses_.push_back(step.loss);
  rate_ = rate_ == 0 ? step.tokens_per_second : rate_ + kNewest * (step.tokens_per_second - rate_);
  last_ = step;
}

std::vector<std::string> TrainingView::Lines() const {
  if (losses_.empty()) return {label_};
  const size_t width = TerminalWidth();
  std::vector<std::string> lines =
      DrawCurve(losses_, static_cast<size_t>(std::max<int64_t>(0, last_.total_steps - first_)), width - 1, kRows);
  const double seconds = std::chrono::duration<double>(Clock::now() - begun_).count();
  const double tokens_a_step = static_cast<double>(last_.tokens) / static_cast<double>(last_.step);
  const double left = static_cast<double>(last_.total_steps - last_.step) * tokens_a_step / std::max(1.0, rate_);
  const double share = last_.tokens_per_second > 0 ? last_.share_of_peak * rate_ / last_.tokens_per_second : 0;
  lines.push_back(fmt::format("step {} of {}   loss {:.4f}   rate {:.2e}   gradient {:.3f}", last_.step,
                              last_.total_steps, last_.loss, last_.learning_rate, last_.gradient_norm));
  if (last_.expert_load_max > 0) {
    lines.back() +=
        fmt::format("   experts {:.0f} to {:.0f} %", 100 * last_.expert_load_min, 100 * last_.expert_load_max);
  }
  lines.push_back(fmt::format("{:.0f} tokens/s   {:.0f} % of peak   {:.2f} M tokens   {}   {} left", rate_, 100 * share,
                              static_cast<double>(last_.tokens) * 1e-6, Duration(seconds), Duration(left)));
  for (size_t i = lines.size() - 2; i < lines.size(); ++i) lines[i].resize(std::min(lines[i].size(), width - 1));
  return lines;
}

void TrainingView::Erase() {
  if (lines_ > 0) fmt::print(stderr, "\033[{}F\033[J", lines_);
  lines_ = 0;
}

void TrainingView::Draw() {
  drawn_ = Clock::now();
  const std::vector<std::string> lines = Lines();
  std::string text;
  if (lines_ > 0) text = fmt::format("\033[{}F\033[J", lines_);
  for (const std::string& line : lines) text += line + "\n";
  fmt::print(stderr, "{}", text);
  std::fflush(stderr);
  lines_ = lines.size();
}

}  // namespace rhodes
