#include "curate/substring_windows.h"

// Tokens are short: the calls into the library would take longer than the hashes.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <bit>

namespace rhodes {
namespace {

__extension__ typedef unsigned __int128 Wide;

constexpr uint64_t kPrime = (uint64_t{1} << 61) - 1;
// Odd, from the golden ratio (Knuth, TAOCP 3, 6.4).
constexpr uint64_t kRollBase = 0x9E3779B97F4A7C15;

uint64_t Reduce(uint64_t value) {
  value = (value & kPrime) + (value >> 61);
  return value >= kPrime ? value - kPrime : value;
}

uint64_t Multiply(uint64_t a, uint64_t b) {
  const Wide product = Wide{a} * b;
  return Reduce((static_cast<uint64_t>(product) & kPrime) + static_cast<uint64_t>(product >> 61));
}

uint64_t Subtract(uint64_t a, uint64_t b) { return a >= b ? a - b : a + kPrime - b; }

uint64_t Mix(uint64_t value) {  // the finaliser of MurmurHash3
  value = (value ^ (value >> 33)) * 0xFF51AFD7ED558CCD;
  value = (value ^ (value >> 33)) * 0xC4CEB9FE1A85EC53;
  return value ^ (value >> 33);
}

}  // namespace

WindowScanner::WindowScanner(uint32_t size, uint64_t key, bool with_fingerprints)
    : size_(size),
      part_((size + 1) / 2),
      key_(key),
      with_fingerprints_(with_fingerprints),
      base_{Reduce(Mix(key ^ 0x5851F42D4C957F2D)) | 2, Reduce(Mix(key ^ 0x14057B7EF767814F)) | 2},
      base_to_size_{1, 1},
      mask_(std::bit_ceil(size_ + 1) - 1),
      slots_(mask_ + 1),
      minima_(mask_ + 1),
      scanner_({}, TokenUnit::kWord, nullptr) {
  for (uint64_t i = 0; i < size_; ++i) {
    base_to_size_ = {Multiply(base_to_size_.high, base_.high), Multiply(base_to_size_.low, base_.low)};
  }
  for (size_t byte = 0; byte < byte_hashes_.size(); ++byte) {
    const char c = static_cast<char>(byte);
    const XXH128_hash_t hash = XXH3_128bits_withSeed(&c, 1, key_);
    byte_hashes_[byte] = {hash.high64, hash.low64};
  }
  for (uint64_t i = 0; i < part_; ++i) roll_base_to_part_ *= kRollBase;
}

void WindowScanner::Begin(std::string_view text, TokenUnit unit, const TokenSplitter& splitter) {
  text_ = text;
  scanner_ = TokenScanner(text, unit, splitter);
  tokens_ = 0;
  first_minimum_ = end_minimum_ = 0;
  roll_ = 0;
  prefix_ = {};
}

bool WindowScanner::Next() {
  do {
    if (!NextToken()) return false;
  } while (tokens_ < size_);
  return true;
}

WindowFingerprint WindowScanner::Hash(std::string_view token) const {
  if (token.size() == 1) return byte_hashes_[static_cast<uint8_t>(token[0])];
  const XXH128_hash_t hash = XXH3_128bits_withSeed(token.data(), token.size(), key_);
  return {hash.high64, hash.low64};
}

bool WindowScanner::NextToken() {
  TokenSpan token;
  if (!scanner_.Next(token)) return false;
  const WindowFingerprint hash = Hash(text_.substr(token.begin, token.end - token.begin));
  Slot& slot = slots_[tokens_ & mask_];
  slot.begin = token.begin;
  slot.hash = hash.low;
  if (with_fingerprints_) {
    slot.prefix = prefix_;
    prefix_.high = Reduce(Multiply(prefix_.high, base_.high) + Reduce(hash.high));
    prefix_.low = Reduce(Multiply(prefix_.low, base_.low) + Reduce(hash.low));
  }
  roll_ = roll_ * kRollBase + hash.low;
  ++tokens_;
  if (tokens_ > part_) roll_ -= slots_[(tokens_ - 1 - part_) & mask_].hash * roll_base_to_part_;
  if (tokens_ >= part_) PushMinimum(tokens_ - part_, Mix(roll_));
  return true;
}

// Of equal ones the first counts. Those that begin before the window of the last size_ tokens go.
void WindowScanner::PushMinimum(uint64_t place, uint64_t hash) {
  while (end_minimum_ > first_minimum_ && minima_[(end_minimum_ - 1) & mask_].hash > hash) --end_minimum_;
  minima_[end_minimum_++ & mask_] = {place, hash};
  while (minima_[first_minimum_ & mask_].place + size_ < tokens_) ++first_minimum_;
}

WindowFingerprint WindowScanner::Fingerprint() const {
  const WindowFingerprint& before = slots_[(tokens_ - size_) & mask_].prefix;
  return {Subtract(prefix_.high, Multiply(before.high, base_to_size_.high)),
          Subtract(prefix_.low, Multiply(before.low, base_to_size_.low))};
}

}  // namespace rhodes
