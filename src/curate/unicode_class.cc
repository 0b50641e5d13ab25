#include "curate/unicode_class.h"

#include <unicode/uchar.h>
#include <unicode/uscript.h>

#include <algorithm>

namespace rhodes {

CharacterClass CharacterClasses::Lookup(char32_t code_point) {
  const auto c = static_cast<UChar32>(code_point);
  if (u_isUWhiteSpace(c)) return CharacterClass::kSpace;
  const uint32_t mask = U_MASK(u_charType(c));
  if ((mask & U_GC_M_MASK) != 0) return CharacterClass::kMark;
  if (c == 0x200C || c == 0x200D || c == 0xAD) return CharacterClass::kMark;  // joiners and the soft hyphen
  if ((mask & U_GC_N_MASK) != 0) return CharacterClass::kDigit;
  if ((mask & U_GC_L_MASK) == 0) return CharacterClass::kSymbol;
  if (c < 0x1100) return CharacterClass::kLetter;  // no East Asian script lies below; saves most of the script look-ups
  UErrorCode error = U_ZERO_ERROR;
  switch (uscript_getScript(c, &error)) {
    case USCRIPT_HAN:
    case USCRIPT_HIRAGANA:
    case USCRIPT_KATAKANA:
    case USCRIPT_KATAKANA_OR_HIRAGANA:
    case USCRIPT_BOPOMOFO:
      return CharacterClass::kIdeograph;
    default:
      return CharacterClass::kLetter;
  }
}

CharacterClasses::CharacterClasses() {
  for (char32_t c = 0; c < basic_.size(); ++c) basic_[c] = Lookup(c);
}

const CharacterClasses& CharacterClasses::Get() {
  static const CharacterClasses* const classes = new CharacterClasses;  // never destroyed: threads may outlive main
  return *classes;
}

void AppendWithoutArabicMarks(std::string_view text, std::string& out) {
  const auto is_mark = [&](size_t at) {  // U+0640, U+064B to U+065F, U+0670
    if (static_cast<uint8_t>(text[at]) != 0xD9 || at + 1 >= text.size()) return false;
    const auto next = static_cast<uint8_t>(text[at + 1]);
    return next == 0x80 || (next >= 0x8B && next <= 0x9F) || next == 0xB0;
  };
  for (size_t at = 0; at < text.size(); ++at) {
    if (is_mark(at)) {
      ++at;
    } else {
      out += text[at];
    }
  }
}

uint64_t CodePoints(std::string_view text) {
  return static_cast<uint64_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<uint8_t>(c) & 0xC0) != 0x80; }));
}

}  // namespace rhodes
