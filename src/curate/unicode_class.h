// What a code point is to the rules: the few classes that word splitting and counting need.
#ifndef RHODES_CURATE_UNICODE_CLASS_H_
#define RHODES_CURATE_UNICODE_CLASS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace rhodes {

enum class CharacterClass : uint8_t {
  kSymbol,     // punctuation, symbols, private use
  kSpace,      // white space and line ends
  kLetter,     // letters of scripts that are written with spaces between words
  kIdeograph,  // Han, Hiragana, Katakana: each counts as a word of its own
  kDigit,      // decimal digits and other numbers
  kMark        // combining marks and joiners: go on with the word they stand in
};

// The class of `code_point`; the first call builds a table of 64 KiB for the Basic Multilingual Plane (about 2 ms).
// Thread-safe.
class CharacterClasses {
 public:
  static const CharacterClasses& Get();
  CharacterClass Of(char32_t code_point) const {
    return code_point < basic_.size() ? basic_[code_point] : Lookup(code_point);
  }

 private:
  CharacterClasses();
  static CharacterClass Lookup(char32_t code_point);
  std::array<CharacterClass, 0x10000> basic_;
};

// Decodes the code point at `bytes[*at]` and moves `*at` behind it. `bytes` must be valid UTF-8.
inline char32_t DecodeUtf8(std::string_view bytes, size_t* at) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(bytes[*at + i]); };
  const uint8_t lead = byte(0);
  char32_t code_point = lead;
  size_t length = 1;
  if (lead >= 0xF0) {
    code_point = (lead & 7u) << 18 | (byte(1) & 63u) << 12 | (byte(2) & 63u) << 6 | (byte(3) & 63u);
    length = 4;
  } else if (lead >= 0xE0) {
    code_point = (lead & 15u) << 12 | (byte(1) & 63u) << 6 | (byte(2) & 63u);
    length = 3;
  } else if (lead >= 0x80) {
    code_point = (lead & 31u) << 6 | (byte(1) & 63u);
    length = 2;
  }
  *at += length;
  return code_point;
}

// Appends `text` without the vowel marks and tatweel of Arabic, which are optional in writing.
void AppendWithoutArabicMarks(std::string_view text, std::string& out);

// Code points in valid UTF-8.
uint64_t CodePoints(std::string_view text);

}  // namespace rhodes

#endif  // RHODES_CURATE_UNICODE_CLASS_H_
