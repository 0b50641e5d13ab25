#include "base/hash.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/file.h"

namespace rhodes {
namespace {

TEST(ContentFingerprint, IsTheSameInPiecesAndOfAMappedFile) {
  std::string bytes;
  for (int i = 0; i < 300000; ++i) bytes += static_cast<char>(i * 31 >> 3);
  ContentHasher hasher;
  for (size_t at = 0; at < bytes.size(); at += 777) hasher.Update(std::string_view(bytes).substr(at, 777));
  EXPECT_EQ(hasher.Fingerprint(), ContentFingerprint(bytes));
  const std::string path = (std::filesystem::temp_directory_path() / fmt::format("rhodes-hash-{}", getpid())).string();
  ASSERT_TRUE(WriteFileAtomically(path, bytes).ok());
  const MappedFile file = MappedFile::Open(path).value();
  EXPECT_EQ(FingerprintMapped(file.bytes()), ContentFingerprint(bytes));
  EXPECT_EQ(file.bytes(), bytes);  // released pages come back
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace rhodes
