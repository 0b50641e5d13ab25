#include "curate/lines.h"

#include <array>

namespace rhodes {

bool HasOtherLineEnds(std::string_view text) {
  constexpr std::string_view kBytes = "\r\v\f\x1C\x1D\x1E";
  // Each is one search at memory speed; texts that were normalised have none of them.
  for (const char end : kBytes) {
    if (text.find(end) != std::string_view::npos) return true;
  }
  constexpr std::array<std::string_view, 3> kOthers = {"\xC2\x85", "\xE2\x80\xA8", "\xE2\x80\xA9"};
  for (const std::string_view end : kOthers) {
    if (text.find(end) != std::string_view::npos) return true;
  }
  return false;
}

std::string_view StripWhiteSpace(std::string_view text) {
  while (!text.empty()) {
    const size_t size = WhiteSpaceAt(text, 0);
    if (size == 0) break;
    text.remove_prefix(size);
  }
  while (!text.empty()) {
    size_t last = text.size() - 1;
    while (last > 0 && (static_cast<uint8_t>(text[last]) & 0xC0) == 0x80) --last;
    if (WhiteSpaceAt(text, last) == 0) break;
    text = text.substr(0, last);
  }
  return text;
}

std::string_view StripBlanks(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") + 1 - first);
}

}  // namespace rhodes
