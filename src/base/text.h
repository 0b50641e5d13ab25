// Small text helpers that std has not.
#ifndef RHODES_BASE_TEXT_H_
#define RHODES_BASE_TEXT_H_

#include <cstddef>
#include <cstdint>
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
// Whether `byte` stands within a character of UTF-8, behind its first byte.
inline bool IsUtf8Continuation(char byte) { return (static_cast<uint8_t>(byte) & 0xC0) == 0x80; }
// The first `most` bytes of `text` (UTF-8), or fewer so that no character is cut.
std::string_view Utf8Prefix(std::string_view text, size_t most);
// How many bytes at the end of `text` (any bytes) begin a character and lack its rest: 0 to 3.
size_t UnfinishedUtf8(std::string_view text);
// Appends `code_point` to `out`; what is no Unicode scalar value becomes U+FFFD.
void AppendUtf8(char32_t code_point, std::string& out);

}  // namespace rhodes

#endif  // RHODES_BASE_TEXT_H_
