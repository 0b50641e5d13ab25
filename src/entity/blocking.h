// Which pairs are worth a comparison: near-linear in the mentions, where all pairs would be quadratic.
#ifndef RHODES_ENTITY_BLOCKING_H_
#define RHODES_ENTITY_BLOCKING_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "base/run_context.h"

namespace rhodes {

// Pairs (a, b), a < b, sorted, of mentions that share terms. A term that more than `max_block` mentions have finds
// nothing; of what the rest finds, each mention keeps the `per_mention` others that share the most, a term counting
// ln(N / df) (ties: the lower number). So there are at most `per_mention` pairs a mention, found in time linear in
// terms times `max_block`, and memory linear in the terms. The same pairs whatever the threads.
absl::StatusOr<std::vector<std::pair<uint32_t, uint32_t>>> FindCandidates(
    const std::vector<std::vector<uint32_t>>& terms, size_t term_count, size_t mentions, uint64_t max_block,
    size_t per_mention, const RunContext& context);

}  // namespace rhodes

#endif  // RHODES_ENTITY_BLOCKING_H_
