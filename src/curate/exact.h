// Rule "exact": the same text again.
#ifndef RHODES_CURATE_EXACT_H_
#define RHODES_CURATE_EXACT_H_

#include <cstdint>
#include <string_view>

namespace rhodes {

// XXH3-128. With 10^9 documents, the chance that any two different texts share one is below 10^-20.
struct TextHash {
  uint64_t low = 0;
  uint64_t high = 0;

  friend bool operator==(const TextHash&, const TextHash&) = default;
};
TextHash HashText(std::string_view text);

}  // namespace rhodes

#endif  // RHODES_CURATE_EXACT_H_
