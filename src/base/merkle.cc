#include "base/merkle.h"

#include <algorithm>
#include <bit>

namespace rhodes {
namespace {

Sha256Digest LeafHash(const MerkleLeaf& leaf) {
  std::array<char, 1 + std::tuple_size_v<MerkleLeaf>> bytes{};  // begins with 0x00
  std::copy(leaf.begin(), leaf.end(), bytes.begin() + 1);
  return Sha256({bytes.data(), bytes.size()});
}

Sha256Digest NodeHash(const Sha256Digest& left, const Sha256Digest& right) {
  std::array<char, 1 + 2 * std::tuple_size_v<Sha256Digest>> bytes{};
  bytes[0] = 1;
  std::copy(left.begin(), left.end(), bytes.begin() + 1);
  std::copy(right.begin(), right.end(), bytes.begin() + 1 + static_cast<ptrdiff_t>(left.size()));
  return Sha256({bytes.data(), bytes.size()});
}

class Prover {
 public:
  Prover(std::span<const MerkleLeaf> leaves, std::span<const uint64_t> wanted) : leaves_(leaves), wanted_(wanted) {}

  // The hash over [begin, end); to the paths of wanted_[from, to), which lie in it, their siblings are added.
  Sha256Digest Hash(uint64_t begin, uint64_t end, size_t from, size_t to,
                    std::vector<std::vector<Sha256Digest>>& paths) const {
    if (end - begin == 1) return LeafHash(leaves_[begin]);
    const uint64_t middle = begin + std::bit_floor(end - begin - 1);
    const auto split = static_cast<size_t>(std::lower_bound(wanted_.begin() + static_cast<ptrdiff_t>(from),
                                                            wanted_.begin() + static_cast<ptrdiff_t>(to), middle) -
                                           wanted_.begin());
    const Sha256Digest left = Hash(begin, middle, from, split, paths);
    const Sha256Digest right = Hash(middle, end, split, to, paths);
    for (size_t i = from; i < split; ++i) paths[i].push_back(right);
    for (size_t i = split; i < to; ++i) paths[i].push_back(left);
    return NodeHash(left, right);
  }

 private:
  const std::span<const MerkleLeaf> leaves_;
  const std::span<const uint64_t> wanted_;
};

}  // namespace

MerkleProofs ProveMerkle(std::span<const MerkleLeaf> leaves, std::span<const uint64_t> wanted) {
  MerkleProofs proofs;
  proofs.paths.resize(wanted.size());
  proofs.root =
      leaves.empty() ? Sha256("") : Prover(leaves, wanted).Hash(0, leaves.size(), 0, wanted.size(), proofs.paths);
  return proofs;
}

// RFC 9162, 2.1.3.2.
bool VerifyMerklePath(const MerkleLeaf& leaf, uint64_t index, uint64_t size, std::span<const Sha256Digest> path,
                      const Sha256Digest& root) {
  if (index >= size) return false;
  uint64_t node = index;
  uint64_t last = size - 1;
  Sha256Digest hash = LeafHash(leaf);
  for (const Sha256Digest& sibling : path) {
    if (last == 0) return false;
    if ((node & 1) != 0 || node == last) {
      hash = NodeHash(sibling, hash);
      while ((node & 1) == 0 && node != 0) {
        node >>= 1;
        last >>= 1;
      }
    } else {
      hash = NodeHash(hash, sibling);
    }
    node >>= 1;
    last >>= 1;
  }
  return last == 0 && hash == root;
}

}  // namespace rhodes
