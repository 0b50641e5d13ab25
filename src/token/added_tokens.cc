#include "token/added_tokens.h"

#include <unicode/uchar.h>

#include <algorithm>
#include <cstring>

#include "token/character_class.h"

namespace rhodes {
namespace {

// \w of Rust's regular expressions: letters and what counts as such, marks, decimal digits, connectors, joiners.
bool IsWordCharacter(const Character& character) {
  if (character.code == 0xFFFFFFFF) return false;
  const auto code = static_cast<UChar32>(character.code);
  const int type = u_charType(code);
  return u_hasBinaryProperty(code, UCHAR_ALPHABETIC) || type == U_NON_SPACING_MARK || type == U_ENCLOSING_MARK ||
         type == U_COMBINING_SPACING_MARK || type == U_DECIMAL_DIGIT_NUMBER || type == U_CONNECTOR_PUNCTUATION ||
         u_hasBinaryProperty(code, UCHAR_JOIN_CONTROL);
}

// The last character of `text`, which is not empty.
Character LastCharacter(std::string_view text) {
  size_t first = text.size() - 1;
  while (first > 0 && text.size() - first < 4 && (static_cast<uint8_t>(text[first]) & 0xC0) == 0x80) --first;
  const char* const end = text.data() + text.size();
  const Character last = DecodeCharacter(text.data() + first, end, CharacterClasses());
  if (last.length == text.size() - first) return last;
  return DecodeCharacter(end - 1, end, CharacterClasses());  // a byte by itself
}

}  // namespace

AddedTokenMatcher::AddedTokenMatcher(std::vector<AddedToken> tokens, const std::vector<std::string>& texts)
    : tokens_(std::move(tokens)) {
  std::vector<std::pair<std::string_view, int32_t>> sorted;
  for (size_t i = 0; i < tokens_.size(); ++i) {
    if (texts[i].empty()) continue;
    sorted.emplace_back(texts[i], static_cast<int32_t>(i));
    begins_[static_cast<uint8_t>(texts[i][0])] = true;
    has_ordinary_ |= !tokens_[i].special;
    reaches_over_spaces_ |= tokens_[i].rstrip || texts[i].find_first_of(" \t\n\v\f\r") != std::string::npos;
  }
  std::sort(sorted.begin(), sorted.end());
  AddNode(sorted, 0, sorted.size(), 0);
  if (std::count(begins_.begin(), begins_.end(), true) == 1) {
    only_begin_ = static_cast<int>(std::find(begins_.begin(), begins_.end(), true) - begins_.begin());
  }
}

// The trie of sorted[first, last), which agree in their first `depth` bytes.
uint32_t AddedTokenMatcher::AddNode(const std::vector<std::pair<std::string_view, int32_t>>& sorted, size_t first,
                                    size_t last, size_t depth) {
  Node node = {0, 0, -1};
  for (; first < last && sorted[first].first.size() == depth; ++first) {
    if (node.token < 0) node.token = sorted[first].second;
  }
  std::vector<Edge> edges;
  while (first < last) {
    const char byte = sorted[first].first[depth];
    size_t end = first;
    while (end < last && sorted[end].first[depth] == byte) ++end;
    edges.push_back({static_cast<uint8_t>(byte), AddNode(sorted, first, end, depth + 1)});
    first = end;
  }
  node.first_edge = static_cast<uint32_t>(edges_.size());
  node.edges = static_cast<uint32_t>(edges.size());
  edges_.insert(edges_.end(), edges.begin(), edges.end());
  nodes_.push_back(node);
  return static_cast<uint32_t>(nodes_.size() - 1);
}

size_t AddedTokenMatcher::Next(std::string_view text, size_t at) const {
  if (only_begin_ >= 0) {
    const void* found = at < text.size() ? std::memchr(text.data() + at, only_begin_, text.size() - at) : nullptr;
    return found == nullptr ? text.size() : static_cast<size_t>(static_cast<const char*>(found) - text.data());
  }
  while (at < text.size() && !begins_[static_cast<uint8_t>(text[at])]) ++at;
  return at;
}

const AddedTokenMatcher::Edge* AddedTokenMatcher::FindEdge(const Node& node, uint8_t byte) const {
  const Edge* const first = edges_.data() + node.first_edge;
  const Edge* const last = first + node.edges;
  const Edge* const edge = std::find_if(first, last, [&](const Edge& one) { return one.byte == byte; });
  return edge == last ? nullptr : edge;
}

AddedTokenMatcher::Match AddedTokenMatcher::Longest(std::string_view text, size_t at) const {
  Match match = {nullptr, 0};
  const Node* node = &nodes_.back();
  for (size_t end = at; end < text.size();) {
    const Edge* const edge = FindEdge(*node, static_cast<uint8_t>(text[end]));
    if (edge == nullptr) break;
    node = &nodes_[edge->node];
    ++end;
    if (node->token >= 0) match = {&tokens_[static_cast<size_t>(node->token)], end - at};
  }
  return match;
}

bool AddedTokenMatcher::Counts(const AddedToken& token, std::string_view text, size_t left, size_t right,
                               bool allow_special) {
  if (token.special && !allow_special) return false;
  if (!token.single_word) return true;
  if (left > 0 && IsWordCharacter(LastCharacter(text.substr(0, left)))) return false;
  return right == text.size() ||
         !IsWordCharacter(DecodeCharacter(text.data() + right, text.data() + text.size(), CharacterClasses()));
}

const AddedToken* AddedTokenMatcher::FindSpecial(std::string_view text, size_t& at) const {
  for (at = Next(text, 0); at < text.size(); at = Next(text, at + 1)) {
    for (size_t end = at, node = nodes_.size() - 1; end < text.size(); ++end) {
      const Edge* const edge = FindEdge(nodes_[node], static_cast<uint8_t>(text[end]));
      if (edge == nullptr) break;
      node = edge->node;
      const int32_t token = nodes_[node].token;
      if (token >= 0 && tokens_[static_cast<size_t>(token)].special) return &tokens_[static_cast<size_t>(token)];
    }
  }
  return nullptr;
}

size_t AddedTokenMatcher::LeadingSpace(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    const Character character = DecodeCharacter(at, end, CharacterClasses());
    if ((character.character_class & kSpace) == 0) break;
    at += character.length;
  }
  return static_cast<size_t>(at - text.data());
}

size_t AddedTokenMatcher::TrimmedSize(std::string_view text) {
  while (!text.empty()) {
    const Character last = LastCharacter(text);
    if ((last.character_class & kSpace) == 0) break;
    text.remove_suffix(last.length);
  }
  return text.size();
}

}  // namespace rhodes
