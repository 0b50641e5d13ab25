#include "curate/personal_data_triggers.h"

#include <algorithm>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "curate/personal_data_triggers.cc"
#include <hwy/foreach_target.h>
// After foreach_target.h:
#include <hwy/highway.h>

#include "base/mask_bits-inl.h"

HWY_BEFORE_NAMESPACE();
namespace rhodes {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Bits of the triggers in one block of 64 bytes; reads one byte more.
HWY_INLINE uint64_t TriggersOf(const uint8_t* block, bool colons) {
  const hn::CappedTag<uint8_t, 64> d;
  const auto is = [&](auto bytes, int c) HWY_ATTR { return hn::Eq(bytes, hn::Set(d, static_cast<uint8_t>(c))); };
  // Ranges of ten by one subtraction each.
  const auto ten = [&](auto bytes, int first) HWY_ATTR {
    return hn::Lt(hn::Sub(bytes, hn::Set(d, static_cast<uint8_t>(first))), hn::Set(d, uint8_t{10}));
  };
  uint64_t bits = 0;
  for (size_t at = 0; at < 64; at += hn::Lanes(d)) {
    const auto a = hn::LoadU(d, block + at);
    const auto b = hn::LoadU(d, block + at + 1);
    auto any = hn::Or(hn::Or(ten(a, '0'), is(a, '@')), hn::Or(is(a, '-'), is(a, '_')));
    any = hn::Or(any, hn::Or(hn::And(is(a, 0xD9), ten(b, 0xA0)), hn::And(is(a, 0xDB), ten(b, 0xB0))));
    any = hn::Or(any, hn::Or(hn::And(is(a, 'y'), is(b, 'J')), hn::And(is(a, 'I'), hn::Or(is(b, 'A'), is(b, 'z')))));
    any = hn::Or(any, colons ? is(a, ':') : hn::And(is(a, ':'), is(b, ':')));
    bits |= MaskBits(d, any) << at;
  }
  return bits;
}

// Looks at blocks of 64 bytes until one has triggers; the bytes before `limit` may be read as blocks. Where that ended.
size_t SearchTriggers(const uint8_t* text, size_t at, size_t limit, bool colons, uint64_t* mask) {
  *mask = 0;
  while (*mask == 0 && at + 65 <= limit) {
    *mask = TriggersOf(text + at, colons);
    at += 64;
  }
  return at;
}

}  // namespace HWY_NAMESPACE
}  // namespace rhodes
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rhodes {
namespace {
HWY_EXPORT(SearchTriggers);
}  // namespace

size_t PersonalDataTriggers::Search(size_t at) {
  const auto* const bytes = reinterpret_cast<const uint8_t*>(text_.data());
  if (at >= text_.size()) return text_.size();
  end_ = HWY_DYNAMIC_DISPATCH(SearchTriggers)(bytes, at, text_.size(), colons_, &mask_);
  while (mask_ == 0 && end_ < text_.size()) {
    // What is left is less than a block and a byte, so it is looked at in a copy.
    uint8_t last[65] = {};
    std::memcpy(last, bytes + end_, std::min<size_t>(64, text_.size() - end_));
    if (text_.size() - end_ > 64) last[64] = bytes[end_ + 64];
    end_ += HWY_DYNAMIC_DISPATCH(SearchTriggers)(last, 0, sizeof(last), colons_, &mask_);
  }
  return mask_ == 0 ? text_.size() : end_ - 64 + static_cast<size_t>(__builtin_ctzll(mask_));
}

}  // namespace rhodes
#endif  // HWY_ONCE
