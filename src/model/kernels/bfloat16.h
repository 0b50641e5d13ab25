// bfloat16: the upper half of an IEEE f32; storage and product operand only, arithmetic is done in f32.
#ifndef RHODES_MODEL_KERNELS_BFLOAT16_H_
#define RHODES_MODEL_KERNELS_BFLOAT16_H_

#include <bit>
#include <cstdint>

namespace rhodes {

struct Bf16 {
  uint16_t bits = 0;

  // Rounds to nearest, ties to even. A NaN stays a NaN.
  static Bf16 From(float value) {
    const uint32_t u = std::bit_cast<uint32_t>(value);
    if ((u & 0x7fffffffu) > 0x7f800000u) return {static_cast<uint16_t>((u >> 16) | 0x40u)};
    return {static_cast<uint16_t>((u + 0x7fffu + ((u >> 16) & 1u)) >> 16)};
  }
  float ToFloat() const { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }
};

inline float ToFloat(float value) { return value; }
inline float ToFloat(Bf16 value) { return value.ToFloat(); }
template <typename T>
T FromFloat(float value) {
  if constexpr (sizeof(T) == sizeof(float)) {
    return value;
  } else {
    return T::From(value);
  }
}

}  // namespace rhodes

#endif  // RHODES_MODEL_KERNELS_BFLOAT16_H_
