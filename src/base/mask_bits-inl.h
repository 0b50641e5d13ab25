// Masks of vectors of bytes as bits of an integer. No include guard of the usual kind: it is read once for each target.
#if defined(RHODES_BASE_MASK_BITS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef RHODES_BASE_MASK_BITS_INL_H_
#undef RHODES_BASE_MASK_BITS_INL_H_
#else
#define RHODES_BASE_MASK_BITS_INL_H_
#endif

#include <hwy/highway.h>

#include <cstdint>
#include <cstring>

HWY_BEFORE_NAMESPACE();
namespace rhodes {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Bit i is lane i. `d` has at most 64 lanes; bits beyond are 0.
template <class D>
HWY_INLINE uint64_t MaskBits(D d, hn::Mask<D> mask) {
  uint8_t packed[8] = {};  // StoreMaskBits() writes a byte for each eight lanes
  hn::StoreMaskBits(d, mask, packed);
  uint64_t bits;
  std::memcpy(&bits, packed, sizeof(bits));
  return bits;
}

}  // namespace HWY_NAMESPACE
}  // namespace rhodes
HWY_AFTER_NAMESPACE();

#endif  // RHODES_BASE_MASK_BITS_INL_H_
