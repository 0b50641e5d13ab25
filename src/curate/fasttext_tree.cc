#include "curate/fasttext_tree.h"

#include <algorithm>

namespace rhodes {

FastTextTree FastTextTree::Make(const std::vector<uint64_t>& label_counts) {
  constexpr uint64_t kNotYet = 1'000'000'000'000'000;
  const size_t labels = label_counts.size();
  FastTextTree tree;
  tree.nodes.resize(2 * labels - 1);
  std::vector<uint64_t> counts(tree.nodes.size(), kNotYet);
  std::copy(label_counts.begin(), label_counts.end(), counts.begin());
  size_t leaves_left = labels;  // the next leaf is the one before
  size_t node = labels;         // the next inner node
  // The rarest two of what has no parent yet: leaves and inner nodes are each in ascending order.
  const auto next = [&] {
    if (leaves_left > 0 && counts[leaves_left - 1] < counts[node]) return --leaves_left;
    return node++;
  };
  for (size_t i = labels; i < tree.nodes.size(); ++i) {
    const size_t left = next();
    const size_t right = next();
    tree.nodes[i] = {static_cast<uint32_t>(left), static_cast<uint32_t>(right)};
    counts[i] = std::min(counts[left] + counts[right], uint64_t{INT64_MAX});
  }
  return tree;
}

}  // namespace rhodes
