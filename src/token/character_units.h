// SentencePiece-style BPE: the units that merges begin with are characters, and words are found by what merges can
// join.
#ifndef RHODES_TOKEN_CHARACTER_UNITS_H_
#define RHODES_TOKEN_CHARACTER_UNITS_H_

#include <array>
#include <bitset>
#include <string_view>
#include <vector>

#include "token/tokenizer_file.h"

namespace rhodes {

// Immutable; thread-safe. In `text` a space and the mark U+2581 are the same.
class CharacterUnits {
 public:
  // Shares nothing with its arguments.
  CharacterUnits(const SentencePieceRules& rules, const TokenBytesTable& tokens, const std::vector<Merge>& merges);

  // Appends the tokens of the characters of `text`; of a character that is no token, and of bytes that are no
  // character, the tokens of the bytes.
  void Append(std::string_view text, std::vector<TokenId>& units) const;

  // The end of the word that begins at `at`, before `end`. A text's merges never cross it: the next word begins at a
  // mark if the tokenizer says so, or after a character that no merge joins to the next one. Encoding the words one by
  // one gives the same ids as encoding the text as one, in time that does not depend on the text's length.
  const char* WordEnd(const char* at, const char* end) const;

  static bool BeginsWithMark(std::string_view text) { return !text.empty() && (text[0] == ' ' || IsMark(text, 0)); }

 private:
  static constexpr TokenId kNone = 0xFFFFFFFF;
  static constexpr uint32_t kBlock = 256;

  static bool IsMark(std::string_view text, size_t at) { return text.substr(at, 3) == "\u2581"; }
  void Join(std::string_view left, std::string_view right);

  std::vector<uint32_t> blocks_;  // of each 256 code points, where they begin in ids_
  std::vector<TokenId> ids_;      // by code point within a block; the first block is empty
  std::array<TokenId, 256> byte_ids_;
  bool split_at_marks_;
  bool never_cut_ = false;
  // By the first bytes of two neighbouring characters: whether a merge may join them.
  std::array<std::bitset<256>, 256> joined_;
};

}  // namespace rhodes

#endif  // RHODES_TOKEN_CHARACTER_UNITS_H_
