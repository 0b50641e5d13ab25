#include "base/hash.h"

#include "base/file.h"

#include <openssl/evp.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include <cerrno>

namespace rhodes {
namespace {

class Sha256Hash {
 public:
  Sha256Hash() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) { Begin(); }
  // Forgets all that was added.
  void Begin() {
    // Fetched once: EVP_sha256() looks the algorithm up again at every initialisation, which costs more than hashing
    // a short record does.
    static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    EVP_DigestInit_ex2(context_.get(), algorithm, nullptr);
  }
  void Update(std::string_view bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }
  Sha256Digest Digest() {
    Sha256Digest digest{};
    unsigned int length = 0;
    EVP_DigestFinal_ex(context_.get(), digest.data(), &length);
    return digest;
  }
  std::string Hex(size_t digest_bytes) {
    const Sha256Digest digest = Digest();
    return ToHex({reinterpret_cast<const char*>(digest.data()), digest_bytes});
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

}  // namespace

std::string ToHex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex(2 * bytes.size(), '0');
  for (size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    hex[2 * i] = kDigits[byte >> 4];
    hex[2 * i + 1] = kDigits[byte & 15];
  }
  return hex;
}

std::string ContentId(std::initializer_list<std::string_view> parts) {
  thread_local Sha256Hash hash;  // one a record is made: OpenSSL's contexts are several allocations each
  hash.Begin();
  bool first = true;
  for (std::string_view part : parts) {
    if (!first) hash.Update(std::string_view("\0", 1));
    hash.Update(part);
    first = false;
  }
  return hash.Hex(16);
}

std::string Sha256Hex(std::string_view bytes) {
  Sha256Hash hash;
  hash.Update(bytes);
  return hash.Hex(32);
}

Sha256Digest Sha256(std::string_view bytes) {
  Sha256Hash hash;
  hash.Update(bytes);
  return hash.Digest();
}

std::string HmacSha256Hex(std::string_view key, std::string_view bytes) {
  constexpr size_t kBlock = 64;
  std::string padded(kBlock, '\0');
  if (key.size() > kBlock) {
    const Sha256Digest hashed = Sha256(key);
    std::copy(hashed.begin(), hashed.end(), padded.begin());
  } else {
    std::copy(key.begin(), key.end(), padded.begin());
  }
  std::string inner = padded;
  std::string outer = padded;
  for (char& c : inner) c = static_cast<char>(c ^ 0x36);
  for (char& c : outer) c = static_cast<char>(c ^ 0x5c);
  Sha256Hash first;
  first.Update(inner);
  first.Update(bytes);
  const Sha256Digest digest = first.Digest();
  Sha256Hash second;
  second.Update(outer);
  second.Update({reinterpret_cast<const char*>(digest.data()), digest.size()});
  return second.Hex(digest.size());
}

absl::StatusOr<std::string> Sha256OfFile(const std::string& path) {
  std::unique_ptr<FILE, decltype(&fclose)> file(fopen(path.c_str(), "rb"), &fclose);
  if (!file) return ErrnoError(errno, "open", path);
  Sha256Hash hash;
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

namespace {
std::string Hex(const XXH128_hash_t& hash) { return fmt::format("{:016x}{:016x}", hash.high64, hash.low64); }
}  // namespace

std::string ContentFingerprint(std::string_view bytes) { return Hex(XXH3_128bits(bytes.data(), bytes.size())); }

std::string FingerprintMapped(std::string_view bytes) {
  constexpr size_t kStep = size_t{16} << 20;
  ContentHasher hasher;
  for (size_t at = 0; at < bytes.size(); at += kStep) {
    const std::string_view part = bytes.substr(at, kStep);
    hasher.Update(part);
    ReleasePages(part);
  }
  return hasher.Fingerprint();
}

ContentHasher::ContentHasher() : state_(XXH3_createState()) { XXH3_128bits_reset(state_); }
ContentHasher::~ContentHasher() { XXH3_freeState(state_); }
void ContentHasher::Update(std::string_view bytes) { XXH3_128bits_update(state_, bytes.data(), bytes.size()); }
std::string ContentHasher::Fingerprint() const { return Hex(XXH3_128bits_digest(state_)); }

}  // namespace rhodes
