// Rule "exact": the same text again.
#ifndef RHODES_CURATE_EXACT_H_
#define RHODES_CURATE_EXACT_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "base/status.h"

namespace rhodes {

// XXH3-128. With 10^9 documents, the chance that any two different texts share one is below 10^-20.
struct TextHash {
  uint64_t low = 0;
  uint64_t high = 0;

  friend bool operator==(const TextHash&, const TextHash&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const TextHash& hash) {
    return H::combine(std::move(state), hash.low);
  }
};
TextHash HashText(std::string_view text);

// Texts seen so far with the id of the first document of each. Memory: 38 to 76 bytes a text whose id is 32 hexadecimal
// digits (the ids Rhodes makes); other ids take their length in addition. Not thread-safe.
class SeenTexts {
 public:
  explicit SeenTexts(uint64_t memory_bytes) : memory_bytes_(memory_bytes) {}

  // The id of the first document with this text, or nothing: then `id` is remembered as the first. RESOURCE_EXHAUSTED
  // when the memory budget is used up.
  absl::StatusOr<std::optional<std::string>> Insert(const TextHash& hash, std::string_view id);
  uint64_t size() const { return first_.size() + first_long_.size(); }

 private:
  // An id as sixteen bytes. Ids of another form lie in a map of their own.
  using PackedId = std::array<uint8_t, 16>;
  static std::optional<PackedId> Pack(std::string_view id);
  static std::string Unpack(const PackedId& packed);
  uint64_t MemoryUsed() const;

  uint64_t memory_bytes_;
  absl::flat_hash_map<TextHash, PackedId> first_;
  absl::flat_hash_map<TextHash, std::string> first_long_;
  uint64_t long_bytes_ = 0;
};

}  // namespace rhodes

#endif  // RHODES_CURATE_EXACT_H_
