#include "source/json_stream.h"

#include <algorithm>

namespace rhodes {
namespace {

constexpr size_t kLookAhead = 16;  // bytes of a line that show what it begins with

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

size_t SkipFraming(std::string_view bytes, size_t at) {
  while (at < bytes.size()) {
    const char c = bytes[at];
    if (bytes.substr(at).starts_with("\xEF\xBB\xBF")) {
      at += 3;  // files with byte order marks, put together
    } else if (IsSpace(c) || c == ',' || c == '[' || c == ']') {
      ++at;
    } else {
      break;
    }
  }
  return at;
}

size_t TrimEnd(std::string_view bytes, size_t begin, size_t end) {
  while (end > begin && IsSpace(bytes[end - 1])) --end;
  return end;
}

// Whether a line that begins with `line` cannot be part of an object whatever came before.
bool BeginsOtherText(std::string_view line) {
  if (line.empty()) return false;
  if (line[0] == '[') line.remove_prefix(1);
  if (line.size() >= 5 && line[4] == '-' && std::all_of(line.begin(), line.begin() + 4, IsDigit)) return true;
  if (line.empty() || !IsLetter(line[0])) return false;
  const std::string_view word =
      line.substr(0, static_cast<size_t>(std::find_if_not(line.begin(), line.end(), IsLetter) - line.begin()));
  return word != "true" && word != "false" && word != "null" && word != "NaN" && word != "Infinity";
}

// Finds the end of an object by its brackets and quotes.
class ObjectScanner {
 public:
  ObjectScanner(std::string_view bytes, size_t begin, bool at_end) : bytes_(bytes), at_(begin), at_end_(at_end) {}

  enum class Outcome { kClosed, kBroken, kMore };

  // Afterwards at() is behind the closing bracket, or where something else begins.
  Outcome Scan() {
    const size_t begin = at_;
    for (; at_ < bytes_.size(); ++at_) {
      const char c = bytes_[at_];
      if (c == '\n') {
        if (first_line_end_ == 0) first_line_end_ = at_;
        if (!at_end_ && bytes_.size() - at_ <= kLookAhead) return Outcome::kMore;
        if (BeginsAnotherPiece(begin)) {
          ++at_;
          return Outcome::kBroken;
        }
        continue;
      }
      if (IsSpace(c)) continue;
      if (c == '"') {
        if (!SkipString()) return at_end_ ? Outcome::kBroken : Outcome::kMore;
      } else if (c == '{' || c == '[') {
        if (c == '{' && at_ > begin && !AllowsObject()) return Outcome::kBroken;
        open_ += c;
      } else if (c == '}' || c == ']') {
        open_.pop_back();
        if (open_.empty()) {
          ++at_;
          return Outcome::kClosed;
        }
      }
      last_ = c;
    }
    return at_end_ ? Outcome::kBroken : Outcome::kMore;
  }
  size_t at() const { return at_; }

 private:
  // at_ is at a line break inside of the object.
  bool BeginsAnotherPiece(size_t begin) const {
    const std::string_view line = bytes_.substr(at_ + 1, kLookAhead);
    if (BeginsOtherText(line)) return true;
    if (line.empty() || line[0] != '{') return false;
    // An object at the left margin is inside of this one only when nothing in this one is indented.
    const bool compact = bytes_.substr(begin, first_line_end_ - begin).find('"') != std::string_view::npos;
    const bool indented = first_line_end_ + 1 < bytes_.size() &&
                          (bytes_[first_line_end_ + 1] == ' ' || bytes_[first_line_end_ + 1] == '\t');
    return compact || indented;
  }
  bool AllowsObject() const { return last_ == '[' || last_ == ':' || (last_ == ',' && open_.back() == '['); }

  // From a quote to the one that closes it; a line break ends a broken string too. False: it does not end.
  bool SkipString() {
    for (++at_; at_ < bytes_.size(); ++at_) {
      if (bytes_[at_] == '"') return true;
      if (bytes_[at_] == '\n') {
        --at_;  // the line break is looked at next
        return true;
      }
      if (bytes_[at_] == '\\' && at_ + 1 < bytes_.size() && bytes_[at_ + 1] != '\n') ++at_;
    }
    return false;
  }

  const std::string_view bytes_;
  size_t at_;
  const bool at_end_;
  size_t first_line_end_ = 0;
  std::string open_;
  char last_ = '\0';
};

// The position behind the value that begins at `at`.
size_t AfterValue(std::string_view json, size_t at) {
  size_t depth = 0;
  for (; at < json.size(); ++at) {
    const char c = json[at];
    if (c == '"') {
      for (++at; at < json.size() && json[at] != '"'; ++at) {
        if (json[at] == '\\') ++at;
      }
      if (depth == 0) return std::min(at + 1, json.size());
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (depth == 0) return at;  // behind a number or a word
      if (--depth == 0) return at + 1;
    } else if (depth == 0 && (c == ',' || IsSpace(c))) {
      return at;
    }
  }
  return json.size();
}

size_t SkipSpaces(std::string_view json, size_t at) {
  while (at < json.size() && IsSpace(json[at])) ++at;
  return at;
}

}  // namespace

JsonPiece NextJsonPiece(std::string_view bytes, size_t at, bool at_end) {
  JsonPiece piece;
  piece.begin = SkipFraming(bytes, at);
  if (piece.begin == bytes.size()) {
    piece.kind = at_end ? JsonPiece::Kind::kEnd : JsonPiece::Kind::kMore;
    piece.next = bytes.size();
    return piece;
  }
  const size_t newline = bytes.find('\n', piece.begin);
  const size_t line_end = std::min(newline, bytes.size());
  piece.json_begin = piece.begin + bytes.substr(piece.begin, line_end - piece.begin).find('{');
  if (piece.json_begin < piece.begin || piece.json_begin >= line_end) {
    piece.kind = newline == std::string_view::npos && !at_end ? JsonPiece::Kind::kMore : JsonPiece::Kind::kLine;
    piece.end = TrimEnd(bytes, piece.begin, line_end);
    piece.next = std::min(line_end + 1, bytes.size());
    return piece;
  }
  ObjectScanner scanner(bytes, piece.json_begin, at_end);
  const ObjectScanner::Outcome outcome = scanner.Scan();
  if (outcome == ObjectScanner::Outcome::kMore) {
    piece.kind = JsonPiece::Kind::kMore;
    return piece;
  }
  piece.kind = outcome == ObjectScanner::Outcome::kClosed ? JsonPiece::Kind::kDocument : JsonPiece::Kind::kBroken;
  piece.next = scanner.at();
  piece.end = TrimEnd(bytes, piece.json_begin, piece.next);
  return piece;
}

size_t CutAtJsonPiece(std::string_view bytes, size_t target, bool at_end, bool (*joins)(std::string_view line)) {
  size_t cut = 0;
  for (size_t at = 0;;) {
    const JsonPiece piece = NextJsonPiece(bytes, at, at_end);
    if (piece.kind == JsonPiece::Kind::kMore) return cut;
    if (piece.kind == JsonPiece::Kind::kEnd) return cut > 0 && bytes.size() > target ? cut : bytes.size();
    at = piece.next;
    const bool joined = joins != nullptr && piece.kind == JsonPiece::Kind::kLine &&
                        joins(bytes.substr(piece.begin, piece.end - piece.begin));
    if (joined) continue;
    if (at > target) return cut > 0 ? cut : at;
    cut = at;
  }
}

size_t ResyncAtJsonLine(std::string_view bytes) {
  for (size_t at = bytes.find('\n'); at != std::string_view::npos; at = bytes.find('\n', at + 1)) {
    if (at + 1 < bytes.size() && (bytes[at + 1] == '{' || IsLetter(bytes[at + 1]))) return at + 1;
  }
  return std::string_view::npos;
}

std::string ReplaceNotNumbers(std::string_view json) {
  std::string replaced;
  for (size_t at = 0; at < json.size(); ++at) {
    if (json[at] == '"') {
      for (++at; at < json.size() && json[at] != '"'; ++at) {
        if (json[at] == '\\') ++at;
      }
      continue;
    }
    if (json[at] != 'N' && json[at] != 'I' && json[at] != '-') continue;
    for (const std::string_view word : {"NaN", "Infinity", "-Infinity"}) {
      if (!json.substr(at).starts_with(word)) continue;
      if (replaced.empty()) replaced = json;
      replaced.replace(at, word.size(), "\"\"" + std::string(word.size() - 2, ' '));
      at += word.size() - 1;
      break;
    }
  }
  return replaced;
}

JsonSpan FindJsonMember(std::string_view json, size_t object, std::string_view key) {
  JsonSpan found;
  for (size_t at = SkipSpaces(json, object + 1); at < json.size() && json[at] == '"';) {
    const size_t name_end = AfterValue(json, at);
    const std::string_view name = json.substr(at + 1, name_end - at - 2);
    const size_t begin = SkipSpaces(json, SkipSpaces(json, name_end) + 1);  // behind the colon
    const size_t end = AfterValue(json, begin);
    if (name == key) found = {begin, end};
    at = SkipSpaces(json, end);
    if (at >= json.size() || json[at] != ',') break;
    at = SkipSpaces(json, at + 1);
  }
  return found;
}

std::vector<JsonSpan> JsonElementSpans(std::string_view json, size_t array) {
  std::vector<JsonSpan> spans;
  for (size_t at = SkipSpaces(json, array + 1); at < json.size() && json[at] != ']';) {
    const size_t end = AfterValue(json, at);
    spans.push_back({at, end});
    at = SkipSpaces(json, end);
    if (at < json.size() && json[at] == ',') at = SkipSpaces(json, at + 1);
  }
  return spans;
}

}  // namespace rhodes
