#include "base/hash.h"

#include <openssl/evp.h>
#include <xxhash.h>

#include <array>
#include <cstdio>

#include <cerrno>

namespace rhodes {
namespace {

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    // Fetched once: EVP_sha256() looks the algorithm up again at every initialisation, which costs more than hashing
    // a short record does.
    static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    EVP_DigestInit_ex2(context_.get(), algorithm, nullptr);
  }
  void Update(std::string_view bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }
  std::string Hex(size_t digest_bytes) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int length = 0;
    EVP_DigestFinal_ex(context_.get(), digest.data(), &length);
    std::string hex(2 * digest_bytes, '0');
    constexpr char kDigits[] = "0123456789abcdef";
    for (size_t i = 0; i < digest_bytes; ++i) {
      hex[2 * i] = kDigits[digest[i] >> 4];
      hex[2 * i + 1] = kDigits[digest[i] & 15];
    }
    return hex;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

}  // namespace

std::string ContentId(std::initializer_list<std::string_view> parts) {
  Sha256 hash;
  bool first = true;
  for (std::string_view part : parts) {
    if (!first) hash.Update(std::string_view("\0", 1));
    hash.Update(part);
    first = false;
  }
  return hash.Hex(16);
}

std::string Sha256Hex(std::string_view bytes) {
  Sha256 hash;
  hash.Update(bytes);
  return hash.Hex(32);
}

absl::StatusOr<std::string> Sha256OfFile(const std::string& path) {
  std::unique_ptr<FILE, decltype(&fclose)> file(fopen(path.c_str(), "rb"), &fclose);
  if (!file) return ErrnoError(errno, "open", path);
  Sha256 hash;
  std::string buffer(1 << 20, '\0');
  while (size_t read = fread(buffer.data(), 1, buffer.size(), file.get())) {
    hash.Update(std::string_view(buffer).substr(0, read));
  }
  if (ferror(file.get()) != 0) return ErrnoError(errno, "read", path);
  return hash.Hex(32);
}

uint64_t Fingerprint(std::string_view bytes, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

std::string ContentFingerprint(std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

}  // namespace rhodes
