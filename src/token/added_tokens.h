// Finds the added tokens of a tokenizer in a text, as Hugging Face tokenizers do.
#ifndef RHODES_TOKEN_ADDED_TOKENS_H_
#define RHODES_TOKEN_ADDED_TOKENS_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "token/tokenizer_file.h"

namespace rhodes {

// Immutable; thread-safe. The leftmost match counts, of several at one place the longest. Cost: the text's length times
// at most the length of the longest token.
class AddedTokenMatcher {
 public:
  AddedTokenMatcher() = default;
  // `texts[i]` is what is looked for of `tokens[i]`.
  AddedTokenMatcher(std::vector<AddedToken> tokens, const std::vector<std::string>& texts);

  bool empty() const { return tokens_.empty(); }
  bool has_ordinary() const { return has_ordinary_; }  // a token that is not special
  // Whether a match may depend on both sides of a place between a letter and ASCII white space.
  bool reaches_over_spaces() const { return reaches_over_spaces_; }

  // The first special token in `text`, whatever is around it, and where it begins; null when there is none.
  const AddedToken* FindSpecial(std::string_view text, size_t& at) const;

  // Calls `piece(text)` for the stretches between tokens that are not empty and `token(added)` for the tokens, in
  // order. A special token counts only if `allow_special`; otherwise its letters are ordinary ones, though a token that
  // begins inside them is not looked for.
  template <typename Piece, typename Token>
  void Split(std::string_view text, bool allow_special, Piece&& piece, Token&& token) const {
    size_t begin = 0;
    for (size_t at = Next(text, 0); at < text.size();) {
      const Match match = Longest(text, at);
      if (match.token == nullptr) {
        at = Next(text, at + 1);
        continue;
      }
      size_t left = at;
      size_t right = at + match.length;
      at = Next(text, right);
      if (!Counts(*match.token, text, left, right, allow_special)) continue;
      if (match.token->lstrip) left = std::max(begin, TrimmedSize(text.substr(0, left)));
      if (match.token->rstrip) right += LeadingSpace(text.substr(right));
      if (begin < left) piece(text.substr(begin, left - begin));
      token(*match.token);
      begin = right;
    }
    if (begin < text.size()) piece(text.substr(begin));
  }

 private:
  struct Node {
    uint32_t first_edge;
    uint32_t edges;
    int32_t token;  // that ends here, or -1
  };
  struct Edge {
    uint8_t byte;
    uint32_t node;
  };
  struct Match {
    const AddedToken* token;
    size_t length;
  };

  uint32_t AddNode(const std::vector<std::pair<std::string_view, int32_t>>& sorted, size_t first, size_t last,
                   size_t depth);
  // The next place from `at` on where a token may begin.
  size_t Next(std::string_view text, size_t at) const;
  const Edge* FindEdge(const Node& node, uint8_t byte) const;  // null: no token goes on so
  Match Longest(std::string_view text, size_t at) const;
  static bool Counts(const AddedToken& token, std::string_view text, size_t left, size_t right, bool allow_special);
  static size_t LeadingSpace(std::string_view text);
  // The size of `text` without the white space at its end.
  static size_t TrimmedSize(std::string_view text);

  std::vector<AddedToken> tokens_;
  bool has_ordinary_ = false;
  bool reaches_over_spaces_ = false;
  std::vector<Node> nodes_;  // the root is the last
  std::vector<Edge> edges_;
  std::array<bool, 256> begins_ = {};
  int only_begin_ = -1;  // the byte all tokens begin with, if it is one
};

}  // namespace rhodes

#endif  // RHODES_TOKEN_ADDED_TOKENS_H_
