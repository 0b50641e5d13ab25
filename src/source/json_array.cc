#include "source/json_array.h"

#include <algorithm>
#include <cctype>

#include "source/json_scan.h"

namespace rhodes {
namespace {

// The position of the value of `key` in the object that begins at `at`, npos when it is not there.
size_t FindKey(std::string_view bytes, size_t at, std::string_view key) {
  at = SkipJsonBlanks(bytes, at + 1);
  while (at < bytes.size() && bytes[at] == '"') {
    const size_t name = at + 1;
    at = AfterJsonString(bytes, at);
    if (at == std::string_view::npos) return at;
    const bool found = bytes.substr(name, at - 1 - name) == key;
    at = SkipJsonBlanks(bytes, at);
    if (at >= bytes.size() || bytes[at] != ':') break;
    at = SkipJsonBlanks(bytes, at + 1);
    if (found) return at;
    if (FindJsonElementEnd(bytes, at) != JsonStop::kComma) break;
    at = SkipJsonBlanks(bytes, at + 1);
  }
  return std::string_view::npos;
}

}  // namespace

size_t FindJsonArray(std::string_view head, std::string_view key) {
  size_t at = SkipJsonBlanks(head, head.starts_with("\xEF\xBB\xBF") ? 3 : 0);
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
    at = SkipJsonBlanks(head, at);
    if (!named || at >= head.size() || head[at] != '=') return std::string_view::npos;
    at = SkipJsonBlanks(head, at + 1);
  }
  return at < head.size() && head[at] == '[' ? at + 1 : std::string_view::npos;
}

size_t FindJsonValue(std::string_view text, std::string_view key) {
  const size_t at = SkipJsonBlanks(text, text.starts_with("\xEF\xBB\xBF") ? 3 : 0);
  return at < text.size() && text[at] == '{' ? FindKey(text, at, key) : std::string_view::npos;
}

size_t EndOfJsonValue(std::string_view text, size_t at) {
  return std::min(AfterJsonValue(text, at, true), text.size());
}

size_t CutAtJsonElement(std::string_view bytes, uint64_t begin, size_t target, bool at_end,
                        const JsonArrayState& state) {
  size_t at = begin == 0 ? state.prefix() : 0;
  size_t cut = 0;
  while (at < bytes.size()) {
    const JsonStop stop = FindJsonElementEnd(bytes, at);
    if (stop == JsonStop::kMore) break;
    // What follows the array belongs to the last block.
    if (stop == JsonStop::kEnd) return cut > 0 && bytes.size() > target ? cut : at_end ? bytes.size() : cut;
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
    const size_t begin = SkipJsonBlanks(bytes_, position_);
    if (begin == bytes_.size()) {
      position_ = begin;
      return false;
    }
    size_t at = begin;
    const JsonStop stop = FindJsonElementEnd(bytes_, at);
    size_t end = at;
    while (end > begin && IsJsonBlank(bytes_[end - 1])) --end;
    position_ = stop == JsonStop::kMore ? at : at + 1;
    ended_ = stop == JsonStop::kEnd;
    if (begin == end) continue;  // nothing between two commas, or before the end: a trailing comma is let pass
    // Without a comma or bracket after it, it is whole only where a block was cut, which is behind a comma.
    element = {begin, end, stop != JsonStop::kMore};
    return true;
  }
  return false;
}

}  // namespace rhodes
