#include "curate/exact.h"

#include <xxhash.h>

namespace rhodes {

TextHash HashText(std::string_view text) {
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  return {hash.low64, hash.high64};
}

}  // namespace rhodes
