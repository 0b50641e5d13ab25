// Lines and what surrounds them, as the rules take them.
#ifndef RHODES_CURATE_LINES_H_
#define RHODES_CURATE_LINES_H_

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "curate/spaces.h"

namespace rhodes {

// Bytes of the line end at `at` by Python's str.splitlines() (LF, CR, CR LF, VT, FF, U+001C to U+001E, NEL, U+2028,
// U+2029), or 0.
inline size_t LineEndAt(std::string_view text, size_t at) {
  const auto lead = static_cast<uint8_t>(text[at]);
  if (lead < 0x80) {
    if (lead == '\r') return at + 1 < text.size() && text[at + 1] == '\n' ? 2 : 1;
    return (lead >= '\n' && lead <= '\f') || (lead >= 0x1C && lead <= 0x1E) ? 1 : 0;
  }
  if (lead == 0xC2) return text.substr(at).starts_with("\xC2\x85") ? 2 : 0;
  if (lead != 0xE2) return 0;
  const std::string_view here = text.substr(at, 3);
  return here == "\xE2\x80\xA8" || here == "\xE2\x80\xA9" ? 3 : 0;
}

// Whether a line of `text` ends in anything but LF.
bool HasOtherLineEnds(std::string_view text);

// Calls `visit(line)` for each line, without its end; a line end at the end of the text begins no further line.
// `python`: as str.splitlines() splits; otherwise at LF.
template <typename Visit>
void ForEachLine(std::string_view text, bool python, Visit visit) {
  python = python && HasOtherLineEnds(text);
  for (size_t begin = 0; begin < text.size();) {
    size_t end = begin;
    size_t size = 1;
    if (python) {
      while (end < text.size() && (size = LineEndAt(text, end)) == 0) ++end;
    } else {
      end = std::min(text.find('\n', begin), text.size());
    }
    visit(text.substr(begin, end - begin));
    begin = end + std::max<size_t>(size, 1);
  }
}

// Without white space at both ends, as Python's str.strip().
std::string_view StripWhiteSpace(std::string_view text);
// Without spaces and tabs at both ends.
std::string_view StripBlanks(std::string_view text);

}  // namespace rhodes

#endif  // RHODES_CURATE_LINES_H_
