#include "token/character_class.h"

#include <unicode/uchar.h>

#include <cstring>
#include <memory>

namespace rhodes {
namespace {

constexpr size_t kCodePoints = 0x110000;

constexpr uint8_t kUpper = kLetter | kUpperLike;
constexpr uint8_t kLower = kLetter | kLowerLike;
constexpr uint8_t kOther = kLetter | kUpperLike | kLowerLike;
constexpr uint8_t kMark = kUpperLike | kLowerLike;

struct Range {
  uint32_t first;
  uint32_t last;
  uint8_t character_class;
};

// Letters, numbers and marks of Unicode 15.1 and 16, which the reference encoders know and Debian 12's ICU (15.0) does
// not. Taken from the Oniguruma in Hugging Face tokenizers 0.23, asked for each code point; they agree on all others.
constexpr Range kSinceUnicode15[] = {
    {0x897, 0x897, kMark},       {0x1C89, 0x1C89, kUpper},    {0x1C8A, 0x1C8A, kLower},    {0xA7CB, 0xA7CC, kUpper},
    {0xA7CD, 0xA7CD, kLower},    {0xA7DA, 0xA7DA, kUpper},    {0xA7DB, 0xA7DB, kLower},    {0xA7DC, 0xA7DC, kUpper},
    {0x105C0, 0x105F3, kOther},  {0x10D40, 0x10D49, kNumber}, {0x10D4A, 0x10D4F, kOther},  {0x10D50, 0x10D65, kUpper},
    {0x10D69, 0x10D6D, kMark},   {0x10D6F, 0x10D6F, kOther},  {0x10D70, 0x10D85, kLower},  {0x10EC2, 0x10EC4, kOther},
    {0x10EFC, 0x10EFC, kMark},   {0x11380, 0x11389, kOther},  {0x1138B, 0x1138B, kOther},  {0x1138E, 0x1138E, kOther},
    {0x11390, 0x113B5, kOther},  {0x113B7, 0x113B7, kOther},  {0x113B8, 0x113C0, kMark},   {0x113C2, 0x113C2, kMark},
    {0x113C5, 0x113C5, kMark},   {0x113C7, 0x113CA, kMark},   {0x113CC, 0x113D0, kMark},   {0x113D1, 0x113D1, kOther},
    {0x113D2, 0x113D2, kMark},   {0x113D3, 0x113D3, kOther},  {0x113E1, 0x113E2, kMark},   {0x116D0, 0x116E3, kNumber},
    {0x11BC0, 0x11BE0, kOther},  {0x11BF0, 0x11BF9, kNumber}, {0x11F5A, 0x11F5A, kMark},   {0x13460, 0x143FA, kOther},
    {0x16100, 0x1611D, kOther},  {0x1611E, 0x1612F, kMark},   {0x16130, 0x16139, kNumber}, {0x16D40, 0x16D6C, kOther},
    {0x16D70, 0x16D79, kNumber}, {0x18CFF, 0x18CFF, kOther},  {0x1CCF0, 0x1CCF9, kNumber}, {0x1E5D0, 0x1E5ED, kOther},
    {0x1E5EE, 0x1E5EF, kMark},   {0x1E5F0, 0x1E5F0, kOther},  {0x1E5F1, 0x1E5FA, kNumber}, {0x2EBF0, 0x2EE5D, kOther}};

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
  for (const Range& range : kSinceUnicode15) {
    for (uint32_t code = range.first; code <= range.last; ++code) {
      if (table[code] == 0) table[code] = range.character_class;
    }
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
