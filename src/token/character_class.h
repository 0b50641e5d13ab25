// What the pre-tokenizer's patterns ask of a character, in one table look-up.
#ifndef RHODES_TOKEN_CHARACTER_CLASS_H_
#define RHODES_TOKEN_CHARACTER_CLASS_H_

#include <cstddef>
#include <cstdint>

namespace rhodes {

// Bits of a character's class. A byte that is not part of valid UTF-8 has class 0, like a symbol.
enum CharacterClass : uint8_t {
  kLetter = 1,      // \p{L}
  kNumber = 2,      // \p{N}
  kSpace = 4,       // \s
  kLineBreak = 8,   // carriage return, line feed
  kUpperLike = 16,  // \p{Lu} \p{Lt} \p{Lm} \p{Lo} \p{M}
  kLowerLike = 32,  // \p{Ll} \p{Lm} \p{Lo} \p{M}
};

// Class by code point, 0x110000 entries, made from ICU's properties at the first call (well under a millisecond).
// Thread-safe. A flat table: only the lines of the scripts in use are touched, so a two-stage one would save nothing.
const uint8_t* CharacterClasses();

struct Character {
  uint8_t character_class;
  uint8_t length;  // bytes; 1 for an invalid byte
  uint32_t code;   // the code point; 0xFFFFFFFF for an invalid byte
};

// Decodes the character at `text`, which is before `end` (RFC 3629: no surrogates, no overlong forms).
Character DecodeMultibyte(const char* text, const char* end, const uint8_t* classes);

inline Character DecodeCharacter(const char* text, const char* end, const uint8_t* classes) {
  const auto first = static_cast<uint8_t>(*text);
  if (first < 0x80) return {classes[first], 1, first};
  return DecodeMultibyte(text, end, classes);
}

}  // namespace rhodes

#endif  // RHODES_TOKEN_CHARACTER_CLASS_H_
