#include "base/merkle.h"

#include <gtest/gtest.h>

namespace rhodes {
namespace {

std::string Hex(const Sha256Digest& digest) {
  return ToHex({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

std::vector<MerkleLeaf> Leaves(size_t count) {
  std::vector<MerkleLeaf> leaves(count);
  for (size_t i = 0; i < count; ++i) {
    leaves[i][14] = static_cast<unsigned char>(i >> 8);
    leaves[i][15] = static_cast<unsigned char>(i);
  }
  return leaves;
}

// As the RFC defines it, one call a node.
Sha256Digest Reference(std::span<const MerkleLeaf> leaves) {
  if (leaves.size() == 1) {
    return Sha256(std::string(1, '\0') + std::string(leaves[0].begin(), leaves[0].end()));
  }
  size_t left = 1;
  while (2 * left < leaves.size()) left *= 2;
  const Sha256Digest a = Reference(leaves.first(left));
  const Sha256Digest b = Reference(leaves.subspan(left));
  return Sha256("\x01" + std::string(a.begin(), a.end()) + std::string(b.begin(), b.end()));
}

TEST(Merkle, TheRootOfNothingIsTheHashOfNothing) {
  // RFC 6962, 2.1: the hash of an empty list is the hash of an empty string.
  EXPECT_EQ(Hex(ProveMerkle({}, {}).root), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Merkle, RootsAndPathsAreThoseOfTheDefinitionForEverySize) {
  for (size_t size = 1; size <= 70; ++size) {
    const std::vector<MerkleLeaf> leaves = Leaves(size);
    std::vector<uint64_t> all(size);
    for (size_t i = 0; i < size; ++i) all[i] = i;
    const MerkleProofs proofs = ProveMerkle(leaves, all);
    ASSERT_EQ(proofs.root, Reference(leaves)) << size;
    EXPECT_EQ(ProveMerkle(leaves, {}).root, proofs.root);
    for (size_t i = 0; i < size; ++i) {
      ASSERT_TRUE(VerifyMerklePath(leaves[i], i, size, proofs.paths[i], proofs.root)) << i << " of " << size;
      EXPECT_FALSE(VerifyMerklePath(leaves[i], i ^ 1, size, proofs.paths[i], proofs.root)) << i << " of " << size;
      EXPECT_FALSE(VerifyMerklePath(leaves[i], size, size, proofs.paths[i], proofs.root));
      EXPECT_FALSE(VerifyMerklePath(Leaves(size + 1)[size], i, size, proofs.paths[i], proofs.root));
    }
  }
}

TEST(Merkle, APathThatWasChangedDoesNotLeadToTheRoot) {
  const std::vector<MerkleLeaf> leaves = Leaves(1000);
  const std::vector<uint64_t> wanted = {0, 17, 511, 512, 999};
  const MerkleProofs proofs = ProveMerkle(leaves, wanted);
  for (size_t i = 0; i < wanted.size(); ++i) {
    std::vector<Sha256Digest> path = proofs.paths[i];
    EXPECT_TRUE(VerifyMerklePath(leaves[wanted[i]], wanted[i], 1000, path, proofs.root));
    path.back()[3] ^= 1;
    EXPECT_FALSE(VerifyMerklePath(leaves[wanted[i]], wanted[i], 1000, path, proofs.root));
    path.pop_back();
    EXPECT_FALSE(VerifyMerklePath(leaves[wanted[i]], wanted[i], 1000, path, proofs.root));
  }
}

TEST(Hmac, IsThatOfRfc4231) {
  EXPECT_EQ(HmacSha256Hex(std::string(20, '\x0b'), "Hi There"),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(HmacSha256Hex("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(HmacSha256Hex(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

}  // namespace
}  // namespace rhodes
