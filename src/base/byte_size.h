// Sizes as people write them: "2GB", "64 MiB".
#ifndef RHODES_BASE_BYTE_SIZE_H_
#define RHODES_BASE_BYTE_SIZE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace rhodes {

// A whole or decimal number and a unit: B, kB, MB, GB, TB (powers of 1000) or KiB, MiB, GiB, TiB (1024); no unit:
// bytes. INVALID_ARGUMENT for anything else.
absl::StatusOr<uint64_t> ParseByteSize(std::string_view text);
// "1.5 MB", powers of 1000.
std::string FormatByteSize(uint64_t bytes);

}  // namespace rhodes

#endif  // RHODES_BASE_BYTE_SIZE_H_
