#include "terminal_progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "base/byte_size.h"

namespace rhodes {
namespace {

constexpr std::chrono::milliseconds kRedraw{100};
constexpr std::chrono::seconds kPlainLine{5};

std::string Amount(double value, std::string_view unit) {
  if (unit == "bytes") return FormatByteSize(static_cast<uint64_t>(value));
  if (value >= 1e6) return fmt::format("{:.2f} M {}", value / 1e6, unit);
  if (value >= 1e4) return fmt::format("{:.1f} k {}", value / 1e3, unit);
  return fmt::format("{:.0f} {}", value, unit);
}

std::string Duration(double seconds) {
  const auto whole = static_cast<int64_t>(seconds + 0.5);
  return whole >= 3600 ? fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60)
                       : fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace

TerminalProgress::TerminalProgress() : terminal_(isatty(STDERR_FILENO) == 1) {}

void TerminalProgress::Begin(std::string_view label, uint64_t total, std::string_view unit) {
  End();
  const std::scoped_lock lock(mutex_);
  active_ = true;
  label_ = label;
  unit_ = unit;
  note_.clear();
  total_ = total;
  done_ = 0;
  begun_ = Clock::now();
  drawn_ = begun_;
}

void TerminalProgress::Update(uint64_t done, std::string_view note) {
  const std::scoped_lock lock(mutex_);
  done_ = done;
  note_ = note;
  const Clock::duration wait = terminal_ ? Clock::duration(kRedraw) : Clock::duration(kPlainLine);
  if (active_ && Clock::now() - drawn_ >= wait) Draw(false);
}

void TerminalProgress::End() {
  const std::scoped_lock lock(mutex_);
  if (active_) Draw(true);
  active_ = false;
}

void TerminalProgress::Say(std::string_view line) {
  const std::scoped_lock lock(mutex_);
  fmt::print(stderr, "{}{}\n", terminal_ && active_ ? "\r\033[K" : "", line);
  if (terminal_ && active_) Draw(false);
}

std::string TerminalProgress::Line() const {
  const double seconds = std::chrono::duration<double>(Clock::now() - begun_).count();
  const double rate = seconds > 0 ? static_cast<double>(done_) / seconds : 0;
  std::string line = fmt::format("{:<22} {}", label_, Amount(static_cast<double>(done_), unit_));
  if (total_ > 0) line += fmt::format(" of {} ({}%)", Amount(static_cast<double>(total_), unit_), 100 * done_ / total_);
  if (seconds >= 0.5) line += fmt::format("  {}/s", Amount(rate, unit_));
  line += "  " + Duration(seconds);
  if (total_ > done_ && rate > 0)
    line += fmt::format("  {} left", Duration(static_cast<double>(total_ - done_) / rate));
  if (!note_.empty()) line += "  " + note_;
  return line;
}

void TerminalProgress::Draw(bool last) {
  drawn_ = Clock::now();
  if (terminal_) {
    fmt::print(stderr, "\r\033[K{}{}", Line(), last ? "\n" : "");
  } else {
    fmt::print(stderr, "{}\n", Line());
  }
  std::fflush(stderr);
}

}  // namespace rhodes
