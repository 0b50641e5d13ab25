#include "token/byte_alphabet.h"

namespace rhodes {
namespace {

struct Alphabet {
  std::array<uint16_t, 256> code;     // of each byte, below 0x144
  std::array<int16_t, 0x144> byte;    // of each code, -1: none
  std::array<uint8_t, 256> in_order;  // bytes by code

  Alphabet() {
    byte.fill(-1);
    uint16_t next = 0x100;
    for (uint16_t i = 0; i < 256; ++i) {
      const bool itself = (i >= '!' && i <= '~') || (i >= 0xA1 && i <= 0xAC) || i >= 0xAE;
      code[i] = itself ? i : next++;
      byte[code[i]] = static_cast<int16_t>(i);
    }
    size_t place = 0;
    for (const int16_t value : byte) {
      if (value >= 0) in_order[place++] = static_cast<uint8_t>(value);
    }
  }
};

const Alphabet& TheAlphabet() {
  static const Alphabet alphabet;
  return alphabet;
}

}  // namespace

const std::array<uint8_t, 256>& BytesInAlphabetOrder() { return TheAlphabet().in_order; }

std::string ToByteLevel(std::string_view bytes) {
  const Alphabet& alphabet = TheAlphabet();
  std::string text;
  for (const char byte : bytes) {
    const uint16_t code = alphabet.code[static_cast<uint8_t>(byte)];
    if (code < 0x80) {
      text.push_back(static_cast<char>(code));
    } else {
      text.push_back(static_cast<char>(0xC0 | code >> 6));
      text.push_back(static_cast<char>(0x80 | (code & 0x3F)));
    }
  }
  return text;
}

bool FromByteLevel(std::string_view text, std::string& bytes) {
  const Alphabet& alphabet = TheAlphabet();
  bytes.clear();
  for (size_t i = 0; i < text.size(); ++i) {
    const auto first = static_cast<uint8_t>(text[i]);
    uint32_t code = first;
    if (first >= 0x80) {
      if (first < 0xC2 || first > 0xC5 || i + 1 == text.size()) return false;
      code = (first & 0x1FU) << 6 | (static_cast<uint8_t>(text[++i]) & 0x3FU);
    }
    if (code >= alphabet.byte.size() || alphabet.byte[code] < 0) return false;
    bytes.push_back(static_cast<char>(alphabet.byte[code]));
  }
  return true;
}

}  // namespace rhodes
