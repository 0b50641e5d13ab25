#include <expat.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>

#include "base/text.h"
#include "source/omm_notation.h"

namespace rhodes {
namespace {

constexpr std::string_view kBegin = "<omm";
constexpr std::string_view kEnd = "</omm>";

// A tag that the next one breaks off ends its name too: where a block ends before that, it does as well.
bool EndsName(char c) { return c == '<' || c == '>' || c == '/' || c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// The next `wanted` at or after `at` that is in no comment and no CDATA section; npos when there is none.
size_t FindMarkup(std::string_view bytes, size_t at, std::string_view wanted) {
  while (true) {
    at = bytes.find('<', at);
    if (at == std::string_view::npos) return at;
    const std::string_view rest = bytes.substr(at);
    const bool comment = rest.starts_with("<!--");
    const bool verbatim = rest.starts_with("<![CDATA[");
    if (comment || verbatim) {
      const size_t end = bytes.find(comment ? "-->" : "]]>", at);
      if (end == std::string_view::npos) return end;
      at = end + 3;
      continue;
    }
    const bool found = rest.starts_with(wanted) &&
                       (wanted.ends_with('>') || rest.size() == wanted.size() || EndsName(rest[wanted.size()]));
    if (found) return at;
    ++at;
  }
}

// Whether `text` holds anything but the frame around messages.
bool IsFrame(std::string_view text) {
  while (true) {
    text = Trim(text);
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    if (text.empty()) return true;
    std::string_view end;
    for (const auto& [begins, ends] : {std::pair<std::string_view, std::string_view>("<!--", "-->"),
                                       {"<?", "?>"},
                                       {"<!DOCTYPE", ">"},
                                       {"<ndm", ">"},
                                       {"</ndm", ">"},
                                       {"<COMMENT>", "</COMMENT>"},
                                       {"<MESSAGE_ID>", "</MESSAGE_ID>"}}) {
      if (end.empty() && text.starts_with(begins)) end = ends;
    }
    const size_t at = end.empty() ? std::string_view::npos : text.find(end);
    if (at == std::string_view::npos) return false;
    text.remove_prefix(at + end.size());
  }
}

// Collects the leaves of one <omm>.
struct Collector {
  ElementSet* set = nullptr;
  XML_Parser parser = nullptr;
  std::string text;
  std::string unit;
  std::string parameter;
  std::string wrong;
  int depth = 0;
  int segments = 0;
  bool leaf = false;
};

std::string Attribute(const XML_Char** attributes, std::string_view name) {
  for (; *attributes != nullptr; attributes += 2) {
    if (name == attributes[0]) return attributes[1];
  }
  return "";
}

void OnStart(void* data, const XML_Char* name, const XML_Char** attributes) {
  auto& collector = *static_cast<Collector*>(data);
  if (collector.depth++ == 0) collector.set->Add("CCSDS_OMM_VERS", Attribute(attributes, "version"));
  if (std::strcmp(name, "segment") == 0 && ++collector.segments > 1) collector.wrong = "two segments in one <omm>";
  collector.text.clear();
  collector.unit = Attribute(attributes, "units");
  collector.parameter = Attribute(attributes, "parameter");
  collector.leaf = true;
  // No message nests deeper; a file that does would be a long way down.
  if (collector.depth > 64) {
    collector.wrong = "elements nested deeper than 64";
    XML_StopParser(collector.parser, XML_FALSE);
  }
}

void OnEnd(void* data, const XML_Char* name) {
  auto& collector = *static_cast<Collector*>(data);
  --collector.depth;
  if (collector.leaf) {
    const std::string key = std::strcmp(name, "USER_DEFINED") == 0 && !collector.parameter.empty()
                                ? "USER_DEFINED_" + collector.parameter
                                : std::string(name);
    collector.set->Add(key, collector.text, collector.unit);
  }
  collector.leaf = false;
  collector.text.clear();
}

void OnText(void* data, const XML_Char* text, int size) {
  auto& collector = *static_cast<Collector*>(data);
  if (collector.leaf) collector.text.append(text, static_cast<size_t>(size));
}

}  // namespace

MessagePiece NextXmlMessage(std::string_view bytes, size_t at, bool at_end) {
  MessagePiece piece;
  const MessagePiece more{at_end ? MessagePiece::Kind::kEnd : MessagePiece::Kind::kMore, 0, 0, bytes.size()};
  const size_t begin = FindMarkup(bytes, at, kBegin);
  const std::string_view before = bytes.substr(at, std::min(begin, bytes.size()) - at);
  if (begin == std::string_view::npos && !at_end) return more;
  if (!IsFrame(before)) {
    const std::string_view shown = Trim(before);
    piece.kind = MessagePiece::Kind::kOther;
    piece.begin = static_cast<size_t>(shown.data() - bytes.data());
    piece.end = piece.begin + shown.size();
    piece.next = std::min(begin, bytes.size());
    return piece;
  }
  if (begin == std::string_view::npos) return more;
  const size_t end = FindMarkup(bytes, begin, kEnd);
  const size_t another = FindMarkup(bytes, begin + 1, kBegin);
  if (end == std::string_view::npos && another == std::string_view::npos && !at_end) return more;
  piece.kind = MessagePiece::Kind::kMessage;
  piece.begin = begin;
  // A message that is not closed ends where the next one begins.
  piece.next = end < another ? end + kEnd.size() : std::min(another, bytes.size());
  piece.end = begin + Trim(bytes.substr(begin, piece.next - begin)).size();
  return piece;
}

std::string ReadXmlMessage(std::string_view message, const std::string& encoding, ElementSet& set) {
  if (message.size() > static_cast<size_t>(std::numeric_limits<int>::max())) return "longer than 2 GiB";
  const std::unique_ptr<XML_ParserStruct, void (*)(XML_Parser)> parser(
      XML_ParserCreate(encoding.empty() ? nullptr : encoding.c_str()), XML_ParserFree);
  if (!parser) return "no memory for the XML parser";
  Collector collector;
  collector.set = &set;
  collector.parser = parser.get();
  XML_SetUserData(parser.get(), &collector);
  XML_SetElementHandler(parser.get(), OnStart, OnEnd);
  XML_SetCharacterDataHandler(parser.get(), OnText);
  const XML_Status status = XML_Parse(parser.get(), message.data(), static_cast<int>(message.size()), XML_TRUE);
  if (!collector.wrong.empty()) return collector.wrong;
  if (status == XML_STATUS_OK) return "";
  return fmt::format("not XML: {} at byte {} of the message", XML_ErrorString(XML_GetErrorCode(parser.get())),
                     XML_GetCurrentByteIndex(parser.get()));
}

}  // namespace rhodes
