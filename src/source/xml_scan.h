// Walks over XML as it is found in the world: well-formed or not, cut off, with entities that no DTD declares. Nothing
// is expanded, nothing is fetched, so that no document can be larger than it is. What a strict parser refuses is read
// as far as it can be.
#ifndef RHODES_SOURCE_XML_SCAN_H_
#define RHODES_SOURCE_XML_SCAN_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace rhodes {

class XmlScanner {
 public:
  explicit XmlScanner(std::string_view text, size_t begin = 0) : text_(text), at_(begin) {}

  enum class Kind { kOpen, kClose, kEmpty, kText, kCdata };
  struct Token {
    Kind kind = Kind::kText;
    std::string_view name;        // of tags, as written: "content:encoded"
    std::string_view attributes;  // of tags: what stands behind the name
    std::string_view text;        // of text and CDATA, as written
    size_t begin = 0;             // of the whole token in the text
    size_t end = 0;
  };
  // False at the end. Comments, processing instructions and the document type are passed over.
  bool Next(Token& token);
  // Behind Next() with kOpen: everything up to the matching closing tag, as written; moves behind it. What is never
  // closed reaches to the end, and `closed` is false.
  std::string_view Inside(const Token& open, bool& closed);
  size_t position() const { return at_; }

 private:
  std::string_view text_;
  size_t at_;
};

// The value of an attribute, with references as written; empty when it is not there.
std::string_view XmlAttribute(std::string_view attributes, std::string_view name);
// Text with CDATA unwrapped, tags dropped and references replaced once: what an element without children says.
std::string XmlText(std::string_view inside);
// The encoding that an XML declaration states, or empty.
std::string XmlEncoding(std::string_view head);
// The name without its prefix.
std::string_view XmlLocalName(std::string_view name);

}  // namespace rhodes

#endif  // RHODES_SOURCE_XML_SCAN_H_
