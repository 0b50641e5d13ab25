// Hashes: content ids (SHA-256, so that a third party can recompute them) and fast fingerprints (XXH3).
#ifndef RHODES_BASE_HASH_H_
#define RHODES_BASE_HASH_H_

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"

struct XXH3_state_s;

namespace rhodes {

// The first 128 bits of SHA-256 over `parts` joined by NUL bytes, as 32 lower-case hexadecimal digits.
std::string ContentId(std::initializer_list<std::string_view> parts);

// SHA-256 of `bytes` as 64 lower-case hexadecimal digits.
std::string Sha256Hex(std::string_view bytes);
// The 32 bytes themselves.
using Sha256Digest = std::array<unsigned char, 32>;
Sha256Digest Sha256(std::string_view bytes);
// HMAC-SHA256 (RFC 2104) as 64 lower-case hexadecimal digits.
std::string HmacSha256Hex(std::string_view key, std::string_view bytes);
// `bytes` as lower-case hexadecimal digits.
std::string ToHex(std::string_view bytes);
// Sha256Hex() of a whole file, read in pieces.
absl::StatusOr<std::string> Sha256OfFile(const std::string& path);

// XXH3, for hash tables and change detection only: not for ids that leave the process.
uint64_t Fingerprint(std::string_view bytes, uint64_t seed = 0);
// XXH3 of 128 bits as 32 hexadecimal digits: tells files apart that nobody made to collide, at memory speed.
std::string ContentFingerprint(std::string_view bytes);

// Of a MappedFile's bytes, whose pages are released behind it: for files larger than the memory.
std::string FingerprintMapped(std::string_view bytes);

// The same of bytes that come one piece after another. Not thread-safe.
class ContentHasher {
 public:
  ContentHasher();
  ~ContentHasher();
  ContentHasher(const ContentHasher&) = delete;
  ContentHasher& operator=(const ContentHasher&) = delete;
  void Update(std::string_view bytes);
  std::string Fingerprint() const;  // of all so far

 private:
  XXH3_state_s* const state_;
};

}  // namespace rhodes

#endif  // RHODES_BASE_HASH_H_
