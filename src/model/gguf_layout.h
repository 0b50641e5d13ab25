// Sizes and limits of the GGUF format that its reader and its writer share.
#ifndef RHODES_MODEL_GGUF_LAYOUT_H_
#define RHODES_MODEL_GGUF_LAYOUT_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "model/gguf.h"

namespace rhodes::gguf_layout {

inline constexpr uint64_t kAlignment = 32;       // when general.alignment is not there
inline constexpr uint64_t kMaxKeyBytes = 65535;  // the format's limit
inline constexpr uint64_t kMaxNameBytes = 63;    // GGML_MAX_NAME without its closing zero
inline constexpr uint64_t kBlock = 32;           // values of a Q8_0 block
inline constexpr uint64_t kBlockBytes = 34;      // f16 scale, 32 i8

inline uint64_t Pad(uint64_t size, uint64_t alignment) { return (size + alignment - 1) / alignment * alignment; }

// Without padding; nothing when rows are not whole blocks, a size is negative or the product overflows.
inline std::optional<uint64_t> TensorBytes(GgmlType type, const std::vector<int64_t>& shape) {
  uint64_t count = type == GgmlType::kQ8_0 ? kBlockBytes : type == GgmlType::kF32 ? 4 : 2;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] < 0) return std::nullopt;
    uint64_t size = static_cast<uint64_t>(shape[i]);
    if (type == GgmlType::kQ8_0 && i + 1 == shape.size()) {
      if (size % kBlock != 0) return std::nullopt;
      size /= kBlock;
    }
    if (__builtin_mul_overflow(count, size, &count)) return std::nullopt;
  }
  // So that sums with offsets inside a file cannot overflow either.
  if (count > uint64_t{1} << 60) return std::nullopt;
  return count;
}

}  // namespace rhodes::gguf_layout

#endif  // RHODES_MODEL_GGUF_LAYOUT_H_
