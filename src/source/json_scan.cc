#include "source/json_scan.h"

#include <array>
#include <cstdint>
#include <cstring>

namespace rhodes {
namespace {

// What the scanner must look at: quotes, brackets, commas. All else is skipped.
constexpr std::array<bool, 256> kStructural = [] {
  std::array<bool, 256> table{};
  for (const char c : {'"', '{', '}', '[', ']', ','}) table[static_cast<uint8_t>(c)] = true;
  return table;
}();

}  // namespace

size_t SkipJsonBlanks(std::string_view bytes, size_t at) {
  while (at < bytes.size() && IsJsonBlank(bytes[at])) ++at;
  return at;
}

size_t AfterJsonString(std::string_view bytes, size_t at) {
  ++at;
  while (at < bytes.size()) {
    const void* found = std::memchr(bytes.data() + at, '"', bytes.size() - at);
    if (found == nullptr) return std::string_view::npos;
    const size_t quote = static_cast<size_t>(static_cast<const char*>(found) - bytes.data());
    // Backslashes before the quote belong to it in pairs; `at` never stands behind one of them.
    size_t first = quote;
    while (first > at && bytes[first - 1] == '\\') --first;
    at = quote + 1;
    if ((quote - first) % 2 == 0) return at;
  }
  return std::string_view::npos;
}

JsonStop FindJsonElementEnd(std::string_view bytes, size_t& at) {
  int64_t depth = 0;
  while (at < bytes.size()) {
    const char c = bytes[at];
    if (!kStructural[static_cast<uint8_t>(c)]) {
      ++at;
      continue;
    }
    if (c == '"') {
      at = AfterJsonString(bytes, at);
      if (at == std::string_view::npos) break;
      continue;
    }
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') {
      if (depth == 0) return JsonStop::kEnd;
      --depth;
    }
    if (c == ',' && depth == 0) return JsonStop::kComma;
    ++at;
  }
  at = bytes.size();
  return JsonStop::kMore;
}

size_t AfterJsonValue(std::string_view bytes, size_t at, bool at_end) {
  if (at >= bytes.size()) return std::string_view::npos;
  if (bytes[at] == '"') return AfterJsonString(bytes, at);
  if (bytes[at] == '{' || bytes[at] == '[') {
    ++at;
    while (true) {
      const JsonStop stop = FindJsonElementEnd(bytes, at);
      if (stop == JsonStop::kMore) return std::string_view::npos;
      ++at;
      if (stop == JsonStop::kEnd) return at;
    }
  }
  ++at;
  while (at < bytes.size() && !IsJsonBlank(bytes[at]) && bytes[at] != '{' && bytes[at] != '[' && bytes[at] != '"' &&
         bytes[at] != '\x1E') {
    ++at;
  }
  return at < bytes.size() || at_end ? at : std::string_view::npos;
}

}  // namespace rhodes
