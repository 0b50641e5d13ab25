#include "entity/blocking.h"

#include <algorithm>
#include <cmath>

#include "absl/container/flat_hash_map.h"
#include "base/parallel.h"

namespace rhodes {
namespace {

constexpr size_t kStretch = 1024;  // mentions that one call of the loop looks at

// Mentions of each term, one after the other.
struct Postings {
  std::vector<uint64_t> begin;  // by term; one more at the end
  std::vector<uint32_t> mentions;
};

Postings Invert(const std::vector<std::vector<uint32_t>>& terms, size_t term_count, size_t mentions,
                uint64_t max_block) {
  Postings postings;
  std::vector<uint64_t> counts(term_count);
  for (size_t i = 0; i < mentions; ++i) {
    for (const uint32_t term : terms[i]) ++counts[term];
  }
  postings.begin.assign(term_count + 1, 0);
  for (size_t term = 0; term < term_count; ++term) {
    const bool useful = counts[term] >= 2 && counts[term] <= max_block;
    postings.begin[term + 1] = postings.begin[term] + (useful ? counts[term] : 0);
  }
  postings.mentions.resize(postings.begin.back());
  std::vector<uint64_t> next(postings.begin.begin(), postings.begin.end() - 1);
  for (size_t i = 0; i < mentions; ++i) {
    for (const uint32_t term : terms[i]) {
      if (next[term] < postings.begin[term + 1]) postings.mentions[next[term]++] = static_cast<uint32_t>(i);
    }
  }
  return postings;
}

// The mentions that share the most with `own`, the best first.
std::vector<uint32_t> Nearest(uint32_t own, const std::vector<uint32_t>& terms, const Postings& postings,
                              double mentions, size_t count) {
  absl::flat_hash_map<uint32_t, double> shared;
  for (const uint32_t term : terms) {
    const uint64_t begin = postings.begin[term];
    const uint64_t end = postings.begin[term + 1];
    if (begin == end) continue;
    const double weight = std::log(1 + mentions / static_cast<double>(end - begin));
    for (uint64_t at = begin; at < end; ++at) {
      if (postings.mentions[at] != own) shared[postings.mentions[at]] += weight;
    }
  }
  std::vector<std::pair<double, uint32_t>> found;
  for (const auto& [mention, weight] : shared) found.emplace_back(-weight, mention);
  const size_t kept = std::min(count, found.size());
  std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(kept), found.end());
  std::vector<uint32_t> nearest;
  for (size_t i = 0; i < kept; ++i) nearest.push_back(found[i].second);
  return nearest;
}

}  // namespace

absl::StatusOr<std::vector<std::pair<uint32_t, uint32_t>>> FindCandidates(
    const std::vector<std::vector<uint32_t>>& terms, size_t term_count, size_t mentions, uint64_t max_block,
    size_t per_mention, const RunContext& context) {
  const Postings postings = Invert(terms, term_count, mentions, max_block);
  using Pairs = std::vector<std::pair<uint32_t, uint32_t>>;
  const size_t stretches = (mentions + kStretch - 1) / kStretch;
  std::vector<Pairs> found(stretches);
  const absl::Status status = ParallelFor(context.Threads(), stretches, [&](size_t stretch) -> absl::Status {
    RETURN_IF_ERROR(context.CheckCancelled());
    const size_t end = std::min(mentions, (stretch + 1) * kStretch);
    for (size_t i = stretch * kStretch; i < end; ++i) {
      const auto own = static_cast<uint32_t>(i);
      for (const uint32_t other : Nearest(own, terms[i], postings, static_cast<double>(mentions), per_mention)) {
        found[stretch].emplace_back(std::min(own, other), std::max(own, other));
      }
    }
    return absl::OkStatus();
  });
  RETURN_IF_ERROR(status);
  Pairs all;
  for (Pairs& pairs : found) {
    all.insert(all.end(), pairs.begin(), pairs.end());
    Pairs().swap(pairs);
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

}  // namespace rhodes
