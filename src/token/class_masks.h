// Classes of many characters at once: a bit for each byte of a stretch of text, for each class.
#ifndef RHODES_TOKEN_CLASS_MASKS_H_
#define RHODES_TOKEN_CLASS_MASKS_H_

#include <cstddef>
#include <cstdint>
#include <span>

namespace rhodes {

// Of up to kBytes bytes of text, in blocks of 64: bit i % 64 of word i / 64 is of byte i. All bytes of a character
// carry its class (token/character_class.h). Bits behind the text are 0, and so is the word behind the last block.
struct ClassMasks {
  static constexpr size_t kBytes = 4096;
  static constexpr size_t kBlocks = kBytes / 64;
  // So many bytes behind the text are read; what they hold does not matter.
  static constexpr size_t kPadding = 64;
  using Mask = uint64_t[kBlocks + 1];

  size_t blocks = 0;
  Mask letter;
  Mask number;
  Mask space;
  Mask line_break;
  Mask upper_like;
  Mask lower_like;
  Mask continuation;  // not the first byte of its character
  Mask blank;         // U+0020
  Mask apostrophe;
  Mask slash;
  uint8_t classes[kBytes + kPadding];  // while they are found
};

// `text` of `size` bytes, at most ClassMasks::kBytes; no character goes on behind it. `cases`: whether upper_like,
// lower_like and slash are wanted; what they hold else does not matter. Vectors, chosen at run time.
void FindClassMasks(const char* text, size_t size, bool cases, ClassMasks& masks);

}  // namespace rhodes

#endif  // RHODES_TOKEN_CLASS_MASKS_H_
