// Merkle trees over sorted ids, hashed as in RFC 6962 (certificate transparency): that an id is absent from a set can
// be checked by somebody who has the root alone.
//
//   leaf   SHA-256(0x00 || the 16 bytes of the id)
//   node   SHA-256(0x01 || left || right); of n > 1 leaves, the left side has the largest power of two below n
//   empty  SHA-256 of nothing
#ifndef RHODES_BASE_MERKLE_H_
#define RHODES_BASE_MERKLE_H_

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"

namespace rhodes {

using MerkleLeaf = std::array<unsigned char, 16>;

// The root, and the audit path (RFC 6962, 2.1.1: from the leaf's neighbour upwards) of each leaf of `wanted`, which is
// sorted. Every hash is computed once; memory: the paths.
struct MerkleProofs {
  Sha256Digest root{};
  std::vector<std::vector<Sha256Digest>> paths;  // as `wanted`
};
MerkleProofs ProveMerkle(std::span<const MerkleLeaf> leaves, std::span<const uint64_t> wanted);

// Whether `path` leads from `leaf` at `index` of `size` leaves to `root`.
bool VerifyMerklePath(const MerkleLeaf& leaf, uint64_t index, uint64_t size, std::span<const Sha256Digest> path,
                      const Sha256Digest& root);

}  // namespace rhodes

#endif  // RHODES_BASE_MERKLE_H_
