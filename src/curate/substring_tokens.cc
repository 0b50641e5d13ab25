#include "curate/substring_tokens.h"

#include <array>

#include "base/text.h"
#include "curate/unicode_class.h"

namespace rhodes {
namespace {

// Bytes of the code point that begins at `at`; 1 for a byte that is not UTF-8. Overlong forms and surrogates pass: they
// decode to some code point, and that is all that is asked here.
size_t LengthAt(std::string_view text, size_t at) {
  const auto lead = static_cast<uint8_t>(text[at]);
  const size_t length = lead < 0xC2 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 1;
  if (length > text.size() - at) return 1;
  for (size_t i = 1; i < length; ++i) {
    if (!IsUtf8Continuation(text[at + i])) return 1;
  }
  return length;
}

enum class Kind : uint8_t { kSpace, kWord, kIdeograph, kSymbol, kNotAscii };

Kind KindOf(CharacterClass character_class) {
  switch (character_class) {
    case CharacterClass::kSpace:
      return Kind::kSpace;
    case CharacterClass::kLetter:
    case CharacterClass::kDigit:
    case CharacterClass::kMark:
      return Kind::kWord;
    case CharacterClass::kIdeograph:
      return Kind::kIdeograph;
    case CharacterClass::kSymbol:
      return Kind::kSymbol;
  }
  return Kind::kSymbol;
}

const std::array<Kind, 256>& ByteKinds() {
  static const std::array<Kind, 256> kinds = [] {
    std::array<Kind, 256> made{};
    made.fill(Kind::kNotAscii);
    for (char32_t c = 0; c < 0x80; ++c) made[c] = KindOf(CharacterClasses::Get().Of(c));
    return made;
  }();
  return kinds;
}

struct Character {
  Kind kind;
  size_t length;
};

Character NotAsciiAt(std::string_view text, size_t at) {
  const size_t length = LengthAt(text, at);
  if (length == 1) return {Kind::kSymbol, 1};
  size_t after = at;
  return {KindOf(CharacterClasses::Get().Of(DecodeUtf8(text, &after))), length};
}

// `kinds`: ByteKinds(), which the callers ask for once.
inline Character CharacterAt(std::string_view text, size_t at, const std::array<Kind, 256>& kinds) {
  const Kind kind = kinds[static_cast<uint8_t>(text[at])];
  if (kind != Kind::kNotAscii) return {kind, 1};
  return NotAsciiAt(text, at);
}

}  // namespace

size_t LengthOfWhiteSpace(std::string_view text) {
  const std::array<Kind, 256>& kinds = ByteKinds();
  size_t at = 0;
  while (at < text.size()) {
    const Character character = CharacterAt(text, at, kinds);
    if (character.kind != Kind::kSpace) break;
    at += character.length;
  }
  return at;
}

TokenScanner::TokenScanner(std::string_view text, TokenUnit unit, const TokenSplitter& splitter)
    : text_(text), unit_(unit) {
  if (unit == TokenUnit::kGiven) splitter(text, given_);
}

bool TokenScanner::Next(TokenSpan& token) {
  switch (unit_) {
    case TokenUnit::kWord:
      return NextWord(token);
    case TokenUnit::kCharacter:
      if (at_ >= text_.size()) return false;
      token.begin = at_;
      at_ += LengthAt(text_, at_);
      token.end = at_;
      return true;
    case TokenUnit::kGiven:
      if (next_given_ == given_.size()) return false;
      token = given_[next_given_++];
      return true;
  }
  return false;
}

bool TokenScanner::NextWord(TokenSpan& token) {
  const std::array<Kind, 256>& kinds = ByteKinds();
  while (at_ < text_.size()) {
    const Character character = CharacterAt(text_, at_, kinds);
    token.begin = at_;
    at_ += character.length;
    if (character.kind == Kind::kSpace) continue;
    if (character.kind == Kind::kWord) at_ = EndOfWord(at_);
    if (character.kind == Kind::kSymbol) at_ = EndOfSymbol(token.begin, at_);
    token.end = at_;
    return true;
  }
  return false;
}

size_t TokenScanner::EndOfWord(size_t at) const {
  const std::array<Kind, 256>& kinds = ByteKinds();
  while (at < text_.size()) {
    const Character character = CharacterAt(text_, at, kinds);
    if (character.kind != Kind::kWord) break;
    at += character.length;
  }
  return at;
}

size_t TokenScanner::EndOfSymbol(size_t begin, size_t at) const {
  const size_t size = at - begin;
  while (text_.size() - at >= size && text_.compare(at, size, text_, begin, size) == 0) at += size;
  return at;
}

}  // namespace rhodes
