// The printable stand-ins that Hugging Face's byte-level tokenizers write for bytes: ! .. ~, ¡ .. ¬ and ® .. ÿ stand
// for themselves, the other 68 bytes are U+0100 upwards, in order.
#ifndef RHODES_TOKEN_BYTE_ALPHABET_H_
#define RHODES_TOKEN_BYTE_ALPHABET_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace rhodes {

// The bytes in the order of their stand-ins' code points, which is the order of the first 256 ids of a vocabulary that
// Hugging Face trains from ByteLevel.alphabet().
const std::array<uint8_t, 256>& BytesInAlphabetOrder();

// `bytes` as a vocabulary writes them (UTF-8).
std::string ToByteLevel(std::string_view bytes);
// The reverse; false when `text` holds a character that stands for no byte.
bool FromByteLevel(std::string_view text, std::string& bytes);

}  // namespace rhodes

#endif  // RHODES_TOKEN_BYTE_ALPHABET_H_
