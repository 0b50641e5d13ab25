#include "token/character_class.h"

#include <unicode/uchar.h>

#include <cstring>
#include <memory>

namespace rhodes {
namespace {

constexpr size_t kCodePoints = 0x110000;

uint8_t ClassOfCategory(UCharCategory category) {
  switch (category) {
    case U_UPPERCASE_LETTER:
    case U_TITLECASE_LETTER:
      return kLetter | kUpperLike;
    case U_LOWERCASE_LETTER:
      return kLetter | kLowerLike;
    case U_MODIFIER_LETTER:
    case U_OTHER_LETTER:
      return kLetter | kUpperLike | kLowerLike;
    case U_NON_SPACING_MARK:
    case U_ENCLOSING_MARK:
    case U_COMBINING_SPACING_MARK:
      return kUpperLike | kLowerLike;
    case U_DECIMAL_DIGIT_NUMBER:
    case U_LETTER_NUMBER:
    case U_OTHER_NUMBER:
      return kNumber;
    default:
      return 0;
  }
}

UBool SetRange(const void* context, UChar32 begin, UChar32 end, UCharCategory category) {
  auto* table = static_cast<uint8_t*>(const_cast<void*>(context));
  std::memset(table + begin, ClassOfCategory(category), static_cast<size_t>(end - begin));
  return true;
}

std::unique_ptr<uint8_t[]> MakeTable() {
  auto table = std::make_unique<uint8_t[]>(kCodePoints);
  u_enumCharTypes(&SetRange, table.get());
  // White_Space lies in these blocks only; asking for every code point would take 20 ms.
  for (UChar32 code = 0; code < 0x3001; ++code) {
    if (u_isUWhiteSpace(code)) table[static_cast<size_t>(code)] |= kSpace;
  }
  table['\r'] |= kLineBreak;
  table['\n'] |= kLineBreak;
  return table;
}

}  // namespace

const uint8_t* CharacterClasses() {
  static const std::unique_ptr<uint8_t[]> table = MakeTable();
  return table.get();
}

Character DecodeMultibyte(const char* text, const char* end, const uint8_t* classes) {
  const auto byte = [&](int i) { return static_cast<uint8_t>(text[i]); };
  const auto follows = [&](int i) { return (byte(i) & 0xC0) == 0x80; };
  const ptrdiff_t left = end - text;
  const uint32_t first = byte(0);
  if (first >= 0xC2 && first < 0xE0 && left >= 2 && follows(1)) {
    const uint32_t code = (first & 0x1F) << 6 | (byte(1) & 0x3F);
    return {classes[code], 2, code};
  }
  if (first >= 0xE0 && first < 0xF0 && left >= 3 && follows(1) && follows(2)) {
    const uint32_t code = (first & 0x0F) << 12 | (byte(1) & 0x3FU) << 6 | (byte(2) & 0x3F);
    if (code >= 0x800 && (code < 0xD800 || code > 0xDFFF)) return {classes[code], 3, code};
  }
  if (first >= 0xF0 && first < 0xF5 && left >= 4 && follows(1) && follows(2) && follows(3)) {
    const uint32_t code = (first & 0x07) << 18 | (byte(1) & 0x3FU) << 12 | (byte(2) & 0x3FU) << 6 | (byte(3) & 0x3F);
    if (code >= 0x10000 && code < kCodePoints) return {classes[code], 4, code};
  }
  return {0, 1, 0xFFFFFFFF};
}

}  // namespace rhodes
