// Finds with vector instructions the few bytes at which personal data can be noticed.
#ifndef RHODES_CURATE_PERSONAL_DATA_TRIGGERS_H_
#define RHODES_CURATE_PERSONAL_DATA_TRIGGERS_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rhodes {

// Walks over the triggers of a text: digits (ASCII, and the first byte of Arabic-Indic and extended Arabic-Indic ones),
// '@', '-', '_', ':' before another ':', 'y' before 'J' ("eyJ") and 'I' before 'A' or 'z' ("AKIA", "ASIA", "AIza").
// Other bytes are never one. Not thread-safe; keeps a view of the text.
class PersonalDataTriggers {
 public:
  // With `colons` every ':' is one.
  PersonalDataTriggers(std::string_view text, bool colons) : text_(text), colons_(colons) {}

  // The first trigger at or behind `at`, or the size of the text. Each call's `at` is at least the last one's.
  size_t Next(size_t at) {
    if (at < end_) {
      const size_t skipped = at < end_ - 64 ? 0 : at - (end_ - 64);
      const uint64_t rest = mask_ >> skipped << skipped;
      if (rest != 0) return end_ - 64 + static_cast<size_t>(__builtin_ctzll(rest));
      at = end_;
    }
    return Search(at);
  }

 private:
  size_t Search(size_t at);

  std::string_view text_;
  bool colons_;
  size_t end_ = 0;     // where the last block of 64 bytes that was looked at ends
  uint64_t mask_ = 0;  // its triggers
};

}  // namespace rhodes

#endif  // RHODES_CURATE_PERSONAL_DATA_TRIGGERS_H_
