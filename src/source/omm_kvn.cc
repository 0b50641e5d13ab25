#include <algorithm>

#include "base/text.h"
#include "source/encoding.h"
#include "source/omm_notation.h"

namespace rhodes {
namespace {

constexpr std::string_view kFirstKey = "CCSDS_OMM_VERS";

std::string_view TrimMark(std::string_view line) {
  if (line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
  return Trim(line);
}

}  // namespace

MessagePiece NextKvnMessage(std::string_view bytes, size_t at, bool at_end) {
  MessagePiece piece;
  bool message = false;
  while (at < bytes.size()) {
    const size_t newline = bytes.find('\n', at);
    // A line whose end is not seen may still become the first of another message.
    if (newline == std::string_view::npos && !at_end) break;
    const size_t line_end = std::min(newline, bytes.size());
    const std::string_view line = TrimMark(bytes.substr(at, line_end - at));
    const size_t begin = line.empty() ? at : static_cast<size_t>(line.data() - bytes.data());
    const bool first = line.starts_with(kFirstKey);
    if (message && first) {
      piece.next = at;
      return piece;
    }
    at = std::min(line_end + 1, bytes.size());
    if (line.empty()) continue;
    if (!message) {
      piece = {MessagePiece::Kind::kOther, begin, begin + line.size(), at};
      if (!first) return piece;
      message = true;
      piece.kind = MessagePiece::Kind::kMessage;
    }
    piece.end = begin + line.size();
    piece.next = at;
  }
  if (at_end && message) {
    piece.next = bytes.size();
    return piece;
  }
  return {at_end ? MessagePiece::Kind::kEnd : MessagePiece::Kind::kMore, 0, 0, bytes.size()};
}

size_t CutAtMessage(std::string_view bytes, size_t target, bool at_end,
                    MessagePiece (*next)(std::string_view, size_t, bool)) {
  size_t cut = 0;
  while (true) {
    const MessagePiece piece = next(bytes, cut, at_end);
    if (piece.kind == MessagePiece::Kind::kMore) return cut;
    if (piece.kind == MessagePiece::Kind::kEnd) return cut > 0 && bytes.size() > target ? cut : bytes.size();
    if (piece.next > target) return cut > 0 ? cut : piece.next;
    cut = piece.next;
  }
}

std::string ReadKvnMessage(std::string_view message, ElementSet& set) {
  if (const size_t at = FindInvalidUtf8(message); at != std::string_view::npos) return "not UTF-8";
  for (std::string_view line : Split(message, '\n')) {
    line = TrimMark(line);
    if (line.empty()) continue;
    if (line.starts_with("COMMENT")) {
      set.Add("COMMENT", line.substr(7));
      continue;
    }
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos)
      return fmt::format("not KEY = value: \"{}\"", ReplaceInvalidUtf8(line.substr(0, 40)));
    const std::string_view key = Trim(line.substr(0, equals));
    std::string_view value = Trim(line.substr(equals + 1));
    std::string_view unit;
    const size_t bracket = value.rfind('[');
    if (value.ends_with(']') && bracket != std::string_view::npos) {
      unit = value.substr(bracket + 1, value.size() - bracket - 2);
      value = Trim(value.substr(0, bracket));
    }
    if (key.empty()) return "a line without a key";
    set.Add(key, value, unit);
  }
  return "";
}

}  // namespace rhodes
