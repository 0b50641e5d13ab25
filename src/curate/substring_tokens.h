// The tokens that repeated passages are counted in.
#ifndef RHODES_CURATE_SUBSTRING_TOKENS_H_
#define RHODES_CURATE_SUBSTRING_TOKENS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace rhodes {

enum class TokenUnit : uint8_t {
  // A run of letters, digits and marks; an ideograph; a run of one and the same symbol. Needs no tokenizer; white space
  // is not compared, so a passage that was wrapped anew is the same passage. About 5.4 bytes of English, white
  // space included.
  kWord,
  // A code point, white space too: byte for byte what suffix arrays over bytes find.
  kCharacter,
  // What the caller's TokenSplitter says.
  kGiven
};

struct TokenSpan {
  uint64_t begin = 0;  // bytes of the document's text
  uint64_t end = 0;
};

// Appends the tokens of `text` to `tokens`: ascending, not overlapping, none of them empty. The same text must give the
// same tokens always, and what lies between tokens must be white space. Two tokens are equal when their bytes are.
using TokenSplitter = std::function<void(std::string_view text, std::vector<TokenSpan>& tokens)>;

// Hands out the tokens of a text one by one, in memory that does not grow with the text (kGiven: 16 bytes a token).
// `text` may be any bytes: one that is not UTF-8 is a symbol.
class TokenScanner {
 public:
  TokenScanner(std::string_view text, TokenUnit unit, const TokenSplitter& splitter);
  bool Next(TokenSpan& token);

 private:
  bool NextWord(TokenSpan& token);
  size_t EndOfWord(size_t at) const;
  size_t EndOfSymbol(size_t begin, size_t at) const;

  std::string_view text_;
  TokenUnit unit_;
  size_t at_ = 0;
  std::vector<TokenSpan> given_;  // kGiven: all of them
  size_t next_given_ = 0;
};

// Bytes of white space (as kWord skips it) at the beginning of `text`.
size_t LengthOfWhiteSpace(std::string_view text);

}  // namespace rhodes

#endif  // RHODES_CURATE_SUBSTRING_TOKENS_H_
