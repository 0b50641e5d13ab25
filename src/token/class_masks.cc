#include "token/class_masks.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "token/character_class.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "token/class_masks.cc"
#include <hwy/foreach_target.h>
// After foreach_target.h:
#include <hwy/highway.h>

#include "base/mask_bits-inl.h"

HWY_BEFORE_NAMESPACE();
namespace rhodes {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<uint8_t, 64>;
using V = hn::Vec<D>;

constexpr uint8_t kContinuationClass = 64;  // beside those of CharacterClass

HWY_INLINE V AsciiClasses(D d, V bytes) {
  const auto within = [&](uint8_t first, uint8_t count)
                          HWY_ATTR { return hn::Lt(hn::Sub(bytes, hn::Set(d, first)), hn::Set(d, count)); };
  const auto only = [&](hn::Mask<D> mask, int classes)
                        HWY_ATTR { return hn::IfThenElseZero(mask, hn::Set(d, static_cast<uint8_t>(classes))); };
  const V letters = hn::Or(only(within('A', 26), kLetter | kUpperLike), only(within('a', 26), kLetter | kLowerLike));
  const V others = hn::Or(only(within('0', 10), kNumber),
                          only(hn::Or(within('\t', 5), hn::Eq(bytes, hn::Set(d, uint8_t{' '}))), kSpace));
  const auto breaks = hn::Or(hn::Eq(bytes, hn::Set(d, uint8_t{'\n'})), hn::Eq(bytes, hn::Set(d, uint8_t{'\r'})));
  return hn::Or(hn::Or(letters, others), only(breaks, kLineBreak));
}

// Sets the classes of the bytes of the character at `at`, which is not ASCII. Bytes that are not UTF-8 keep class 0.
inline void SetClass(const char* text, size_t size, size_t at, const uint8_t* table, uint8_t* classes) {
  const auto byte = [&](size_t i) HWY_ATTR { return static_cast<uint32_t>(static_cast<uint8_t>(text[at + i])); };
  const auto set = [&](uint8_t found, size_t length) HWY_ATTR {
    classes[at] = found;
    for (size_t i = 1; i < length; ++i) classes[at + i] = found | kContinuationClass;
  };
  const uint32_t first = byte(0);
  if (size - at >= 3) {
    if (first < 0xE0) {
      const bool good = first >= 0xC2 && (byte(1) & 0xC0) == 0x80;
      if (good) set(table[(first & 0x1F) << 6 | (byte(1) & 0x3F)], 2);
      return;
    }
    if (first > 0xE0 && first < 0xED && (byte(1) & 0xC0) == 0x80 && (byte(2) & 0xC0) == 0x80) {
      return set(table[(first & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F)], 3);
    }
  }
  const Character character = DecodeMultibyte(text + at, text + size, table);
  set(character.character_class, character.length);
}

void FindClasses(const char* text, size_t size, uint8_t* classes) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  const auto* const bytes = reinterpret_cast<const uint8_t*>(text);
  uint64_t leads[ClassMasks::kBlocks] = {};  // first bytes of characters that are not ASCII
  uint64_t any = 0;
  for (size_t at = 0; at < size; at += lanes) {
    const V vector = hn::LoadU(d, bytes + at);
    hn::StoreU(AsciiClasses(d, vector), d, classes + at);
    const V top = hn::And(vector, hn::Set(d, uint8_t{0xC0}));
    const uint64_t found = MaskBits(d, hn::Eq(top, hn::Set(d, uint8_t{0xC0})));
    leads[at / 64] |= found << at % 64;
    any |= found;
  }
  if (any == 0) return;
  const uint8_t* const table = CharacterClasses();
  for (size_t block = 0; 64 * block < size; ++block) {
    for (uint64_t bits = leads[block]; bits != 0; bits &= bits - 1) {
      const size_t at = 64 * block + static_cast<size_t>(std::countr_zero(bits));
      if (at >= size) return;
      SetClass(text, size, at, table, classes);
    }
  }
}

void FindMasks(const char* text, size_t size, bool cases, ClassMasks& masks) {
  FindClasses(text, size, masks.classes);
  std::memset(masks.classes + size, 0, ClassMasks::kPadding);
  const D d;
  const size_t lanes = hn::Lanes(d);
  const auto* const bytes = reinterpret_cast<const uint8_t*>(text);
  masks.blocks = (size + 63) / 64;
  for (size_t block = 0; block < masks.blocks; ++block) {
    uint64_t letter = 0, number = 0, space = 0, line_break = 0, upper = 0, lower = 0, continuation = 0;
    uint64_t blank = 0, apostrophe = 0, slash = 0;
    for (size_t at = 0; at < 64; at += lanes) {
      const V classes = hn::LoadU(d, masks.classes + 64 * block + at);
      const V vector = hn::LoadU(d, bytes + 64 * block + at);
      const auto of = [&](int bit) HWY_ATTR {
        return MaskBits(d, hn::TestBit(classes, hn::Set(d, static_cast<uint8_t>(bit)))) << at;
      };
      const auto equal = [&](char byte) HWY_ATTR {
        return MaskBits(d, hn::Eq(vector, hn::Set(d, static_cast<uint8_t>(byte)))) << at;
      };
      letter |= of(kLetter);
      number |= of(kNumber);
      space |= of(kSpace);
      line_break |= of(kLineBreak);
      continuation |= of(kContinuationClass);
      blank |= equal(' ');
      apostrophe |= equal('\'');
      if (!cases) continue;
      upper |= of(kUpperLike);
      lower |= of(kLowerLike);
      slash |= equal('/');
    }
    const size_t rest = size - 64 * block;
    const uint64_t valid = rest >= 64 ? ~uint64_t{0} : (uint64_t{1} << rest) - 1;
    masks.letter[block] = letter;
    masks.number[block] = number;
    masks.space[block] = space;
    masks.line_break[block] = line_break;
    masks.upper_like[block] = upper;
    masks.lower_like[block] = lower;
    masks.continuation[block] = continuation;
    masks.blank[block] = blank & valid;
    masks.apostrophe[block] = apostrophe & valid;
    masks.slash[block] = slash & valid;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace rhodes
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rhodes {

HWY_EXPORT(FindMasks);

void FindClassMasks(const char* text, size_t size, bool cases, ClassMasks& masks) {
  HWY_DYNAMIC_DISPATCH(FindMasks)(text, size, cases, masks);
  const size_t end = masks.blocks;
  for (uint64_t* mask : {masks.letter, masks.number, masks.space, masks.line_break, masks.upper_like, masks.lower_like,
                         masks.continuation, masks.blank, masks.apostrophe, masks.slash}) {
    mask[end] = 0;
  }
}

}  // namespace rhodes
#endif  // HWY_ONCE
