// The binary tree of a fastText classifier with hierarchical softmax: Huffman's, over the labels' counts.
#ifndef RHODES_CURATE_FASTTEXT_TREE_H_
#define RHODES_CURATE_FASTTEXT_TREE_H_

#include <cstdint>
#include <vector>

namespace rhodes {

// Nodes 0 to labels - 1 are the leaves; inner nodes follow, the root is last.
struct FastTextTree {
  struct Node {
    uint32_t left = kLeaf;
    uint32_t right = kLeaf;
  };
  static constexpr uint32_t kLeaf = UINT32_MAX;
  std::vector<Node> nodes;

  // With fastText's choices among equal counts, which want the counts in descending order; any others make a tree too.
  // Each count is below 10^15.
  static FastTextTree Make(const std::vector<uint64_t>& label_counts);
};

}  // namespace rhodes

#endif  // RHODES_CURATE_FASTTEXT_TREE_H_
