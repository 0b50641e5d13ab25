#include "source/json_array.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace rhodes {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// What the scanners must look at: quotes, brackets, commas. All else is skipped.
constexpr std::array<bool, 256> kStructural = [] {
  std::array<bool, 256> table{};
  for (const char c : {'"', '{', '}', '[', ']', ','}) table[static_cast<uint8_t>(c)] = true;
  return table;
}();

// The position after the string that begins at `at`, npos when it does not end.
size_t AfterString(std::string_view bytes, size_t at) {
  for (++at;; ++at) {
    at = bytes.find_first_of("\"\\", at);
    if (at == std::string_view::npos) return at;
    if (bytes[at] == '"') return at + 1;
    ++at;  // what follows a backslash
  }
}

enum class Stop { kComma, kEnd, kMore };

// From `at`, inside the array: the next comma between elements or the array's closing bracket. kMore: neither is seen.
Stop FindElementEnd(std::string_view bytes, size_t& at) {
  int64_t depth = 0;
  while (at < bytes.size()) {
    const char c = bytes[at];
    if (!kStructural[static_cast<uint8_t>(c)]) {
      ++at;
      continue;
    }
    if (c == '"') {
      at = AfterString(bytes, at);
      if (at == std::string_view::npos) break;
      continue;
    }
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') {
      if (depth == 0) return Stop::kEnd;
      --depth;
    }
    if (c == ',' && depth == 0) return Stop::kComma;
    ++at;
  }
  at = bytes.size();
  return Stop::kMore;
}

size_t SkipSpaces(std::string_view bytes, size_t at) {
  while (at < bytes.size() && IsSpace(bytes[at])) ++at;
  return at;
}

// The position of the value of `key` in the object that begins at `at`, npos when it is not there.
size_t FindKey(std::string_view bytes, size_t at, std::string_view key) {
  at = SkipSpaces(bytes, at + 1);
  while (at < bytes.size() && bytes[at] == '"') {
    const size_t name = at + 1;
    at = AfterString(bytes, at);
    if (at == std::string_view::npos) return at;
    const bool found = bytes.substr(name, at - 1 - name) == key;
    at = SkipSpaces(bytes, at);
    if (at >= bytes.size() || bytes[at] != ':') break;
    at = SkipSpaces(bytes, at + 1);
    if (found) return at;
    if (FindElementEnd(bytes, at) != Stop::kComma) break;
    at = SkipSpaces(bytes, at + 1);
  }
  return std::string_view::npos;
}

}  // namespace

size_t FindJsonArray(std::string_view head, std::string_view key) {
  size_t at = SkipSpaces(head, head.starts_with("\xEF\xBB\xBF") ? 3 : 0);
  if (!key.empty()) {
    if (at >= head.size() || head[at] != '{') return std::string_view::npos;
    at = FindKey(head, at, key);
    return at < head.size() && head[at] == '[' ? at + 1 : std::string_view::npos;
  }
  if (at < head.size() && head[at] != '[') {  // name = [
    const size_t name = at;
    while (at < head.size() && (std::isalnum(static_cast<uint8_t>(head[at])) != 0 || head[at] == '_' ||
                                head[at] == '.' || head[at] == '$')) {
      ++at;
    }
    const bool named = at > name;
    at = SkipSpaces(head, at);
    if (!named || at >= head.size() || head[at] != '=') return std::string_view::npos;
    at = SkipSpaces(head, at + 1);
  }
  return at < head.size() && head[at] == '[' ? at + 1 : std::string_view::npos;
}

size_t FindJsonValue(std::string_view text, std::string_view key) {
  const size_t at = SkipSpaces(text, text.starts_with("\xEF\xBB\xBF") ? 3 : 0);
  return at < text.size() && text[at] == '{' ? FindKey(text, at, key) : std::string_view::npos;
}

size_t AfterJsonValue(std::string_view text, size_t at) {
  if (at >= text.size()) return text.size();
  if (text[at] == '"') return std::min(AfterString(text, at), text.size());
  if (text[at] == '{' || text[at] == '[') {
    size_t depth = 0;
    while (at < text.size()) {
      const char c = text[at];
      if (c == '"') {
        at = AfterString(text, at);
        continue;
      }
      ++at;
      if (c == '{' || c == '[') ++depth;
      if ((c == '}' || c == ']') && --depth == 0) return at;
    }
    return text.size();
  }
  FindElementEnd(text, at);
  while (at > 0 && IsSpace(text[at - 1])) --at;
  return at;
}

size_t CutAtJsonElement(std::string_view bytes, uint64_t begin, size_t target, bool at_end,
                        const JsonArrayState& state) {
  size_t at = begin == 0 ? state.prefix() : 0;
  size_t cut = 0;
  while (at < bytes.size()) {
    const Stop stop = FindElementEnd(bytes, at);
    if (stop == Stop::kMore) break;
    // What follows the array belongs to the last block.
    if (stop == Stop::kEnd) return cut > 0 && bytes.size() > target ? cut : at_end ? bytes.size() : cut;
    ++at;
    if (at > target) return cut > 0 ? cut : at;
    cut = at;
  }
  return cut > 0 ? cut : at_end ? bytes.size() : 0;
}

JsonElements::JsonElements(const Block& block, const JsonArrayState& state)
    : bytes_(block.bytes), position_(block.begin == 0 ? std::min(state.prefix(), block.bytes.size()) : 0) {}

bool JsonElements::Next(Element& element) {
  while (!ended_) {
    const size_t begin = SkipSpaces(bytes_, position_);
    if (begin == bytes_.size()) {
      position_ = begin;
      return false;
    }
    size_t at = begin;
    const Stop stop = FindElementEnd(bytes_, at);
    size_t end = at;
    while (end > begin && IsSpace(bytes_[end - 1])) --end;
    position_ = stop == Stop::kMore ? at : at + 1;
    ended_ = stop == Stop::kEnd;
    if (begin == end) continue;  // nothing between two commas, or before the end: a trailing comma is let pass
    // Without a comma or bracket after it, it is whole only where a block was cut, which is behind a comma.
    element = {begin, end, stop != Stop::kMore};
    return true;
  }
  return false;
}

}  // namespace rhodes
