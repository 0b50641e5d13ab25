// All windows of some tokens of a text, each with its minimiser and, when asked for, its fingerprint.
#ifndef RHODES_CURATE_SUBSTRING_WINDOWS_H_
#define RHODES_CURATE_SUBSTRING_WINDOWS_H_

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "curate/substring_tokens.h"

namespace rhodes {

// Two residues modulo 2^61 - 1.
struct WindowFingerprint {
  uint64_t high = 0;
  uint64_t low = 0;

  friend bool operator==(const WindowFingerprint&, const WindowFingerprint&) = default;
};

// Memory: about 80 bytes for each token of a window. Not thread-safe.
class WindowScanner {
 public:
  // `size`: tokens of a window, at least 2. `key` seeds all hashes.
  WindowScanner(uint32_t size, uint64_t key, bool with_fingerprints);

  // Begins a text, which must outlive the scan.
  void Begin(std::string_view text, TokenUnit unit, const TokenSplitter& splitter);
  // Moves to the next window; false when there is none.
  bool Next();

  uint64_t begin() const { return slots_[(tokens_ - size_) & mask_].begin; }  // byte of the window's first token
  uint64_t minimiser() const { return minima_[first_minimum_ & mask_].hash; }
  // Number, in the text, of the token where the minimiser begins.
  uint64_t minimiser_place() const { return minima_[first_minimum_ & mask_].place; }
  // Needs `with_fingerprints`.
  WindowFingerprint Fingerprint() const;
  uint64_t tokens() const { return tokens_; }  // read so far

 private:
  struct Slot {
    uint64_t begin = 0;
    uint64_t hash = 0;         // of the token
    WindowFingerprint prefix;  // of the text's tokens before this one
  };
  struct Minimum {
    uint64_t place;
    uint64_t hash;
  };

  bool NextToken();
  WindowFingerprint Hash(std::string_view token) const;  // 128 bits
  void PushMinimum(uint64_t place, uint64_t hash);

  const uint64_t size_;
  const uint64_t part_;  // tokens of a sub-window
  const uint64_t key_;
  const bool with_fingerprints_;
  WindowFingerprint base_;
  WindowFingerprint base_to_size_;
  uint64_t roll_base_to_part_ = 1;
  std::array<WindowFingerprint, 256> byte_hashes_{};  // Hash() of tokens of one byte
  uint64_t mask_;
  std::vector<Slot> slots_;      // ring of the last size_ + 1 tokens
  std::vector<Minimum> minima_;  // ring: candidates for the minimum, ascending in place and hash
  uint64_t first_minimum_ = 0;
  uint64_t end_minimum_ = 0;
  std::string_view text_;
  TokenScanner scanner_;
  uint64_t tokens_ = 0;
  uint64_t roll_ = 0;  // hash of the last part_ tokens
  WindowFingerprint prefix_;
};

}  // namespace rhodes

#endif  // RHODES_CURATE_SUBSTRING_WINDOWS_H_
