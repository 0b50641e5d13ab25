// Suffix arrays over token sequences.
#ifndef RHODES_TRACE_SUFFIX_ARRAY_H_
#define RHODES_TRACE_SUFFIX_ARRAY_H_

#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"

namespace rhodes {

// The positions of `text` in the order of the suffixes that begin there; a suffix that is a prefix of another comes
// first. `alphabet`: every token is below it. SA-IS (Nong, Zhang, Chan: "Two Efficient Algorithms for Linear Time
// Suffix Array Construction", IEEE Transactions on Computers 2011): linear time for every input, however repetitive.
//
// Memory: about 13 bytes a token beside the result and the text. INVALID_ARGUMENT for 2^31 tokens or more, or a token
// that is not in the alphabet. Thread-safe.
absl::StatusOr<std::vector<uint32_t>> BuildSuffixArray(std::span<const uint32_t> text, uint32_t alphabet);

}  // namespace rhodes

#endif  // RHODES_TRACE_SUFFIX_ARRAY_H_
