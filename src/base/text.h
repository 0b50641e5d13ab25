// Small text helpers that std has not.
#ifndef RHODES_BASE_TEXT_H_
#define RHODES_BASE_TEXT_H_

#include <string>
#include <string_view>
#include <vector>

namespace rhodes {

// `text` without ASCII white space at both ends.
std::string_view Trim(std::string_view text);
std::string LowerAscii(std::string_view text);
// Pieces between `separator`s; "" gives one empty piece.
std::vector<std::string_view> Split(std::string_view text, char separator);
// The one of `known` nearest to `word` by edit distance when it is near enough to be a slip (a third of its length),
// else "": for "unknown key `modle`; did you mean `model`?".
std::string Nearest(std::string_view word, const std::vector<std::string>& known);
// Whether `bytes` is valid UTF-8 (RFC 3629: no surrogates, no overlong forms).
bool IsValidUtf8(std::string_view bytes);
// `bytes` with each maximal invalid sequence replaced by U+FFFD.
std::string ReplaceInvalidUtf8(std::string_view bytes);

}  // namespace rhodes

#endif  // RHODES_BASE_TEXT_H_
