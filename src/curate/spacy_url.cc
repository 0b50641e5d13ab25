#include "curate/spacy_url.h"

#include <array>
#include <cstdint>

#include "curate/spacy_tables.h"
#include "curate/unicode_class.h"

namespace rhodes {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// What may end a label of a host.
bool IsHostLetter(char32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c >= 0xA1 && c <= 0xFFFF);
}

// Whether what follows the host is an optional port and path up to the end.
bool IsTail(std::string_view text) {
  if (!text.empty() && text.front() == ':') {
    size_t digits = 1;
    while (digits < text.size() && digits <= 5 && IsDigit(text[digits])) ++digits;
    // Two to five digits, then a path or the end.
    if (digits < 3) return false;
    text.remove_prefix(digits);
  }
  return text.empty() || text.front() == '/' || text.front() == '?' || text.front() == '#';
}

// A name with dots and a tail: labels of up to 64 characters, then small letters.
bool IsNamedHost(std::string_view text) {
  const ReferenceFlags& flags = ReferenceFlags::Get();
  bool has_label = false;
  for (size_t at = 0; at < text.size();) {
    // The last part: 2 to 63 small letters. Every part before is a label, so it is tried at each.
    if (has_label) {
      size_t end = at;
      size_t letters = 0;
      while (end < text.size()) {
        size_t next = end;
        if ((flags.Of(DecodeUtf8(text, &next)) & kSpacyLower) == 0) break;
        end = next;
        if (++letters > 63) break;
      }
      if (letters >= 2 && letters <= 63 && IsTail(text.substr(end))) return true;
    }
    size_t length = 0;
    char32_t first = 0;
    char32_t last = 0;
    while (true) {
      if (at >= text.size()) return false;
      const char32_t c = DecodeUtf8(text, &at);
      if (c == '.') break;
      if (!IsHostLetter(c) && c != '_' && c != '-') return false;
      if (length++ == 0) first = c;
      last = c;
    }
    if (length == 0 || length > 64 || !IsHostLetter(first) || !IsHostLetter(last)) return false;
    has_label = true;
  }
  return false;
}

// An address of four numbers and a tail; private and local networks are no URLs.
bool IsNumberedHost(std::string_view text) {
  std::array<int, 4> parts{};
  size_t at = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    const size_t begin = at;
    while (at < text.size() && at - begin < 3 && IsDigit(text[at])) parts[i] = 10 * parts[i] + (text[at++] - '0');
    if (at == begin || parts[i] > 255) return false;
    if ((i == 0 || i == 3) && text[begin] == '0') return false;
    if (i < 3 && (at >= text.size() || text[at++] != '.')) return false;
  }
  const bool local = parts[0] == 10 || parts[0] == 127 || (parts[0] == 169 && parts[1] == 254) ||
                     (parts[0] == 192 && parts[1] == 168) || (parts[0] == 172 && parts[1] >= 16 && parts[1] <= 31);
  return !local && parts[0] <= 223 && parts[3] <= 254 && IsTail(text.substr(at));
}

bool IsHost(std::string_view text) { return IsNumberedHost(text) || IsNamedHost(text); }

// A host, or one behind "user@" for any "@": hosts have none in them, so the attempts together read the text once.
bool IsHostWithUser(std::string_view text) {
  if (IsHost(text)) return true;
  for (size_t at = text.find('@', 1); at != std::string_view::npos; at = text.find('@', at + 1)) {
    if (IsHost(text.substr(at + 1))) return true;
  }
  return false;
}

}  // namespace

bool IsSpacyUrl(std::string_view text) {
  if (text.find('.') == std::string_view::npos) return false;
  if (IsHostWithUser(text)) return true;
  const size_t scheme = text.find("://");
  if (scheme == std::string_view::npos) return false;
  const ReferenceFlags& flags = ReferenceFlags::Get();
  size_t characters = 0;
  for (size_t at = 0; at < scheme; ++characters) {
    const char32_t c = DecodeUtf8(text, &at);
    if (c != '+' && c != '-' && c != '.' && (flags.Of(c) & kWordCharacter) == 0) return false;
  }
  return characters >= 2 && IsHostWithUser(text.substr(scheme + 3));
}

}  // namespace rhodes
