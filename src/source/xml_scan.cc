#include "source/xml_scan.h"

#include <algorithm>

#include "base/text.h"
#include "source/html_text.h"

namespace rhodes {
namespace {

bool IsNameEnd(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '>' || c == '/' || c == '<'; }

bool IsNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

// The position behind `mark`, or the end.
size_t Behind(std::string_view text, std::string_view mark, size_t from) {
  const size_t found = text.find(mark, from);
  return found == std::string_view::npos ? text.size() : found + mark.size();
}

// The position of the '>' that ends the tag, quotes passed over; the end when it is never closed.
size_t TagEnd(std::string_view text, size_t at) {
  while (at < text.size() && text[at] != '>') {
    if (text[at] == '"' || text[at] == '\'') {
      const size_t close = text.find(text[at], at + 1);
      // A quote without its partner: the tag ends at the next bracket all the same.
      if (close == std::string_view::npos) return std::min(text.find('>', at), text.size());
      at = close;
    }
    ++at;
  }
  return at;
}

}  // namespace

bool XmlScanner::Next(Token& token) {
  while (at_ < text_.size()) {
    token = {};
    token.begin = at_;
    if (text_[at_] != '<') {
      const size_t end = std::min(text_.find('<', at_), text_.size());
      token.text = text_.substr(at_, end - at_);
      token.end = at_ = end;
      return true;
    }
    const std::string_view rest = text_.substr(at_);
    if (rest.starts_with("<![CDATA[")) {
      const size_t close = text_.find("]]>", at_ + 9);
      const size_t end = std::min(close, text_.size());
      token.kind = Kind::kCdata;
      token.text = text_.substr(at_ + 9, end - at_ - 9);
      token.end = at_ = close == std::string_view::npos ? text_.size() : close + 3;
      return true;
    }
    if (rest.starts_with("<!--")) {
      at_ = Behind(text_, "-->", at_ + 4);
      continue;
    }
    if (rest.starts_with("<?")) {
      at_ = Behind(text_, "?>", at_ + 2);
      continue;
    }
    if (rest.starts_with("<!")) {
      // A document type, perhaps with a subset in brackets.
      const size_t close = text_.find('>', at_);
      const size_t bracket = text_.find('[', at_);
      at_ = bracket < close ? Behind(text_, "]", bracket) : at_;
      at_ = Behind(text_, ">", at_);
      continue;
    }
    const bool closing = rest.size() > 1 && rest[1] == '/';
    const size_t name = at_ + (closing ? 2 : 1);
    if (name >= text_.size() || !IsNameStart(text_[name])) {  // a bare '<'
      token.text = text_.substr(at_, 1);
      token.end = ++at_;
      return true;
    }
    size_t end = name;
    while (end < text_.size() && !IsNameEnd(text_[end])) ++end;
    const size_t close = TagEnd(text_, end);
    token.name = text_.substr(name, end - name);
    token.attributes = text_.substr(end, close - end);
    token.kind = closing ? Kind::kClose : token.attributes.ends_with('/') ? Kind::kEmpty : Kind::kOpen;
    token.end = at_ = std::min(close + 1, text_.size());
    return true;
  }
  return false;
}

std::string_view XmlScanner::Inside(const Token& open, bool& closed) {
  const size_t begin = at_;
  size_t depth = 1;
  Token token;
  while (Next(token)) {
    if (token.name != open.name) continue;
    if (token.kind == Kind::kOpen) ++depth;
    if (token.kind == Kind::kClose && --depth == 0) {
      closed = true;
      return text_.substr(begin, token.begin - begin);
    }
  }
  closed = false;
  return text_.substr(begin);
}

std::string_view XmlAttribute(std::string_view attributes, std::string_view name) {
  for (size_t at = attributes.find(name); at != std::string_view::npos; at = attributes.find(name, at + 1)) {
    const bool starts = at == 0 || attributes[at - 1] == ' ' || attributes[at - 1] == '\n' ||
                        attributes[at - 1] == '\t' || attributes[at - 1] == '\r';
    size_t i = at + name.size();
    while (i < attributes.size() && (attributes[i] == ' ' || attributes[i] == '\t')) ++i;
    if (!starts || i >= attributes.size() || attributes[i] != '=') continue;
    ++i;
    while (i < attributes.size() && (attributes[i] == ' ' || attributes[i] == '\t')) ++i;
    if (i >= attributes.size() || (attributes[i] != '"' && attributes[i] != '\'')) continue;
    const size_t close = attributes.find(attributes[i], i + 1);
    if (close != std::string_view::npos) return attributes.substr(i + 1, close - i - 1);
  }
  return {};
}

std::string XmlText(std::string_view inside) {
  std::string text;
  XmlScanner scanner(inside);
  XmlScanner::Token token;
  while (scanner.Next(token)) {
    if (token.kind == XmlScanner::Kind::kText) text += DecodeHtmlEntities(token.text);
    if (token.kind == XmlScanner::Kind::kCdata) text += token.text;
  }
  return std::string(Trim(text));
}

std::string XmlEncoding(std::string_view head) {
  const size_t begin = head.find("<?xml");
  if (begin == std::string_view::npos || begin > 16) return "";
  const std::string_view declaration = head.substr(begin, std::min<size_t>(head.find("?>", begin), 256) - begin);
  return std::string(XmlAttribute(declaration, "encoding"));
}

std::string_view XmlLocalName(std::string_view name) { return name.substr(name.rfind(':') + 1); }

}  // namespace rhodes
