#include "source/html_tree.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

#include "base/text.h"

namespace rhodes {
namespace {

struct Name {
  std::string_view name;
  HtmlElement element;
};
// Sorted by name.
constexpr std::array kNames = std::to_array<Name>({{"a", HtmlElement::kA},
                                                   {"address", HtmlElement::kAddress},
                                                   {"article", HtmlElement::kArticle},
                                                   {"aside", HtmlElement::kAside},
                                                   {"audio", HtmlElement::kAudio},
                                                   {"b", HtmlElement::kB},
                                                   {"blockquote", HtmlElement::kBlockquote},
                                                   {"body", HtmlElement::kBody},
                                                   {"br", HtmlElement::kBr},
                                                   {"button", HtmlElement::kButton},
                                                   {"canvas", HtmlElement::kCanvas},
                                                   {"caption", HtmlElement::kCaption},
                                                   {"center", HtmlElement::kCenter},
                                                   {"datalist", HtmlElement::kDatalist},
                                                   {"dd", HtmlElement::kDd},
                                                   {"details", HtmlElement::kDetails},
                                                   {"dialog", HtmlElement::kDialog},
                                                   {"div", HtmlElement::kDiv},
                                                   {"dl", HtmlElement::kDl},
                                                   {"dt", HtmlElement::kDt},
                                                   {"em", HtmlElement::kEm},
                                                   {"embed", HtmlElement::kEmbed},
                                                   {"fieldset", HtmlElement::kFieldset},
                                                   {"figcaption", HtmlElement::kFigcaption},
                                                   {"figure", HtmlElement::kFigure},
                                                   {"font", HtmlElement::kFont},
                                                   {"footer", HtmlElement::kFooter},
                                                   {"form", HtmlElement::kForm},
                                                   {"frame", HtmlElement::kFrame},
                                                   {"h1", HtmlElement::kH1},
                                                   {"h2", HtmlElement::kH2},
                                                   {"h3", HtmlElement::kH3},
                                                   {"h4", HtmlElement::kH4},
                                                   {"h5", HtmlElement::kH5},
                                                   {"h6", HtmlElement::kH6},
                                                   {"head", HtmlElement::kHead},
                                                   {"header", HtmlElement::kHeader},
                                                   {"hr", HtmlElement::kHr},
                                                   {"html", HtmlElement::kHtml},
                                                   {"i", HtmlElement::kI},
                                                   {"iframe", HtmlElement::kIframe},
                                                   {"img", HtmlElement::kImg},
                                                   {"input", HtmlElement::kInput},
                                                   {"label", HtmlElement::kLabel},
                                                   {"legend", HtmlElement::kLegend},
                                                   {"li", HtmlElement::kLi},
                                                   {"link", HtmlElement::kLink},
                                                   {"main", HtmlElement::kMain},
                                                   {"meta", HtmlElement::kMeta},
                                                   {"nav", HtmlElement::kNav},
                                                   {"noscript", HtmlElement::kNoscript},
                                                   {"object", HtmlElement::kObject},
                                                   {"ol", HtmlElement::kOl},
                                                   {"option", HtmlElement::kOption},
                                                   {"p", HtmlElement::kP},
                                                   {"picture", HtmlElement::kPicture},
                                                   {"pre", HtmlElement::kPre},
                                                   {"script", HtmlElement::kScript},
                                                   {"section", HtmlElement::kSection},
                                                   {"select", HtmlElement::kSelect},
                                                   {"source", HtmlElement::kSource},
                                                   {"span", HtmlElement::kSpan},
                                                   {"strong", HtmlElement::kStrong},
                                                   {"style", HtmlElement::kStyle},
                                                   {"summary", HtmlElement::kSummary},
                                                   {"svg", HtmlElement::kSvg},
                                                   {"table", HtmlElement::kTable},
                                                   {"tbody", HtmlElement::kTbody},
                                                   {"td", HtmlElement::kTd},
                                                   {"template", HtmlElement::kTemplate},
                                                   {"textarea", HtmlElement::kTextarea},
                                                   {"tfoot", HtmlElement::kTfoot},
                                                   {"th", HtmlElement::kTh},
                                                   {"thead", HtmlElement::kThead},
                                                   {"time", HtmlElement::kTime},
                                                   {"title", HtmlElement::kTitle},
                                                   {"tr", HtmlElement::kTr},
                                                   {"track", HtmlElement::kTrack},
                                                   {"ul", HtmlElement::kUl},
                                                   {"video", HtmlElement::kVideo}});

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

HtmlElement ElementOf(std::string_view name) {
  char lower[12];
  if (name.size() > sizeof lower) return HtmlElement::kOther;
  std::transform(name.begin(), name.end(), lower, Lower);
  const std::string_view wanted(lower, name.size());
  const auto found = std::lower_bound(kNames.begin(), kNames.end(), wanted,
                                      [](const Name& entry, std::string_view key) { return entry.name < key; });
  return found != kNames.end() && found->name == wanted ? found->element : HtmlElement::kOther;
}

bool IsVoid(HtmlElement element) {
  switch (element) {
    case HtmlElement::kBr:
    case HtmlElement::kEmbed:
    case HtmlElement::kFrame:
    case HtmlElement::kHr:
    case HtmlElement::kImg:
    case HtmlElement::kInput:
    case HtmlElement::kLink:
    case HtmlElement::kMeta:
    case HtmlElement::kSource:
    case HtmlElement::kTrack:
      return true;
    default:
      return false;
  }
}

bool IsRaw(HtmlElement element) {
  return element == HtmlElement::kScript || element == HtmlElement::kStyle || element == HtmlElement::kTextarea ||
         element == HtmlElement::kTitle;
}

// The position of the '>' that ends the tag, quotes passed over; the end when it is never closed.
size_t TagEnd(std::string_view html, size_t at) {
  while (at < html.size() && html[at] != '>') {
    const char c = html[at];
    if ((c == '"' || c == '\'') && html[at - 1] == '=') {
      const size_t close = html.find(c, at + 1);
      if (close == std::string_view::npos) return std::min(html.find('>', at), html.size());
      at = close;
    }
    ++at;
  }
  return at;
}

class Builder {
 public:
  explicit Builder(std::string_view html) : html_(html) {
    tree_.nodes.reserve(html.size() / 40 + 16);
    tree_.nodes.push_back({HtmlElement::kHtml, 0, 0, 0, 0, {}, {}});
    open_.push_back(0);
  }

  HtmlTree Build() {
    size_t at = 0;
    while (at < html_.size()) {
      const void* found = std::memchr(html_.data() + at, '<', html_.size() - at);
      const size_t tag =
          found == nullptr ? html_.size() : static_cast<size_t>(static_cast<const char*>(found) - html_.data());
      if (tag > at) Text(html_.substr(at, tag - at));
      if (tag == html_.size()) break;
      at = Tag(tag);
    }
    return std::move(tree_);
  }

 private:
  uint32_t Append(HtmlElement element, std::string_view text, std::string_view attributes) {
    const auto index = static_cast<uint32_t>(tree_.nodes.size());
    const uint32_t parent = open_.back();
    tree_.nodes.push_back({element, parent, 0, 0, 0, text, attributes});
    HtmlNode& above = tree_.nodes[parent];
    if (above.last_child == 0) {
      above.first_child = index;
    } else {
      tree_.nodes[above.last_child].next = index;
    }
    above.last_child = index;
    return index;
  }

  void Text(std::string_view text) {
    if (text.empty()) return;
    Append(HtmlElement::kText, text, {});
  }

  HtmlElement Open(size_t i) const { return tree_.nodes[open_[i]].element; }

  // Closes the innermost open element of those given, unless one of `stops` stands before it.
  void CloseImplied(std::initializer_list<HtmlElement> wanted, std::initializer_list<HtmlElement> stops) {
    for (size_t i = open_.size(); i-- > 1;) {
      if (std::find(stops.begin(), stops.end(), Open(i)) != stops.end()) return;
      if (std::find(wanted.begin(), wanted.end(), Open(i)) != wanted.end()) {
        open_.resize(i);
        return;
      }
    }
  }

  // End tags that authors may leave out (HTML, section 13.1.2.4).
  void CloseBefore(HtmlElement element) {
    using enum HtmlElement;
    switch (element) {
      case kLi:
        return CloseImplied({kLi}, {kUl, kOl});
      case kDt:
      case kDd:
        return CloseImplied({kDt, kDd}, {kDl});
      case kTr:
        return CloseImplied({kTr}, {kTable});
      case kTd:
      case kTh:
        return CloseImplied({kTd, kTh}, {kTr, kTable});
      case kTbody:
      case kThead:
      case kTfoot:
        return CloseImplied({kTbody, kThead, kTfoot}, {kTable});
      case kOption:
        return CloseImplied({kOption}, {kSelect, kDatalist});
      default:
        if (IsHtmlBlock(element)) {
          CloseImplied({kP}, {kTd, kTh, kTable, kDiv, kLi, kArticle, kSection, kButton, kObject, kFigure, kBlockquote});
        }
    }
  }

  void Close(HtmlElement element, std::string_view name) {
    // A closing tag does not reach out of a table's cell, as in browsers.
    for (size_t i = open_.size(); i-- > 1;) {
      const HtmlElement open = Open(i);
      const bool same = open == element && (element != HtmlElement::kOther || names_[i] == name);
      if (same) {
        open_.resize(i);
        names_.resize(i);
        return;
      }
      if ((open == HtmlElement::kTd || open == HtmlElement::kTh) && element != HtmlElement::kTr &&
          element != HtmlElement::kTable && element != HtmlElement::kTbody) {
        return;
      }
      if (open_.size() - i > 64) return;
    }
  }

  // Returns the position behind the tag.
  size_t Tag(size_t at) {
    const std::string_view rest = html_.substr(at);
    if (rest.starts_with("<!--")) {
      const size_t end = html_.find("-->", at + 2);
      return end == std::string_view::npos ? html_.size() : end + 3;
    }
    if (rest.size() > 1 && (rest[1] == '!' || rest[1] == '?'))
      return std::min(html_.find('>', at), html_.size() - 1) + 1;
    const bool closing = rest.size() > 1 && rest[1] == '/';
    const size_t begin = at + (closing ? 2 : 1);
    if (begin >= html_.size() || !IsLetter(html_[begin])) {
      Text(html_.substr(at, 1));
      return at + 1;
    }
    size_t end = begin;
    while (end < html_.size() && !IsSpace(html_[end]) && html_[end] != '>' && html_[end] != '/') ++end;
    const std::string_view name = html_.substr(begin, end - begin);
    const HtmlElement element = ElementOf(name);
    const size_t close = TagEnd(html_, end);
    const size_t behind = std::min(close + 1, html_.size());
    if (closing) {
      Close(element, name);
      return behind;
    }
    std::string_view attributes = html_.substr(end, close - end);
    CloseBefore(element);
    names_.resize(open_.size());
    const uint32_t index = Append(element, {}, attributes);
    if (IsRaw(element)) return Raw(index, name, behind);
    if (IsVoid(element) || (attributes.ends_with('/') && element == HtmlElement::kOther)) return behind;
    if (open_.size() < HtmlTree::kMostDepth) {
      open_.push_back(index);
      names_.push_back(name);
    }
    return behind;
  }

  // Script, style, title: everything up to the closing tag is text.
  size_t Raw(uint32_t index, std::string_view name, size_t at) {
    for (size_t close = html_.find("</", at); close != std::string_view::npos; close = html_.find("</", close + 2)) {
      const std::string_view found = html_.substr(close + 2, name.size());
      const bool same = found.size() == name.size() && std::equal(found.begin(), found.end(), name.begin(),
                                                                  [](char a, char b) { return Lower(a) == Lower(b); });
      if (!same) continue;
      tree_.nodes[index].text = html_.substr(at, close - at);
      return std::min(html_.find('>', close), html_.size() - 1) + 1;
    }
    tree_.nodes[index].text = html_.substr(at);
    return html_.size();
  }

  const std::string_view html_;
  HtmlTree tree_;
  std::vector<uint32_t> open_;
  std::vector<std::string_view> names_{{}};  // of the open elements, as written
};

}  // namespace

HtmlTree ParseHtml(std::string_view html) { return Builder(html).Build(); }

bool IsHtmlHeading(HtmlElement element) { return element >= HtmlElement::kH1 && element <= HtmlElement::kH6; }

bool IsHtmlBlock(HtmlElement element) {
  using enum HtmlElement;
  switch (element) {
    case kAddress:
    case kArticle:
    case kAside:
    case kBlockquote:
    case kBody:
    case kCaption:
    case kCenter:
    case kDd:
    case kDetails:
    case kDialog:
    case kDiv:
    case kDl:
    case kDt:
    case kFieldset:
    case kFigcaption:
    case kFigure:
    case kFooter:
    case kForm:
    case kHeader:
    case kHr:
    case kLi:
    case kMain:
    case kNav:
    case kOl:
    case kP:
    case kPre:
    case kSection:
    case kSummary:
    case kTable:
    case kTbody:
    case kTd:
    case kTfoot:
    case kTh:
    case kThead:
    case kTr:
    case kUl:
      return true;
    default:
      return IsHtmlHeading(element);
  }
}

namespace {

// The attribute that begins at or behind `at`, which moves behind it. False at the end.
bool NextAttribute(std::string_view text, size_t& at, std::string_view& name, std::string_view& value) {
  while (at < text.size() && (IsSpace(text[at]) || text[at] == '/')) ++at;
  if (at >= text.size()) return false;
  const size_t begin = at++;  // a name may begin with '='
  while (at < text.size() && !IsSpace(text[at]) && text[at] != '=' && text[at] != '/') ++at;
  name = text.substr(begin, at - begin);
  value = {};
  size_t equals = at;
  while (equals < text.size() && IsSpace(text[equals])) ++equals;
  if (equals >= text.size() || text[equals] != '=') return true;
  at = equals + 1;
  while (at < text.size() && IsSpace(text[at])) ++at;
  if (at >= text.size()) return true;
  if (text[at] == '"' || text[at] == '\'') {
    const size_t close = std::min(text.find(text[at], at + 1), text.size());
    value = text.substr(at + 1, close - at - 1);
    at = std::min(close + 1, text.size());
    return true;
  }
  const size_t from = at;
  while (at < text.size() && !IsSpace(text[at])) ++at;
  value = text.substr(from, at - from);
  return true;
}

bool FindAttribute(std::string_view attributes, std::string_view wanted, std::string_view& value) {
  size_t at = 0;
  std::string_view name;
  while (NextAttribute(attributes, at, name, value)) {
    if (name.size() == wanted.size() &&
        std::equal(name.begin(), name.end(), wanted.begin(), [](char a, char b) { return Lower(a) == b; })) {
      return true;
    }
  }
  return false;
}

}  // namespace

bool HasHtmlAttribute(std::string_view attributes, std::string_view name) {
  std::string_view value;
  return FindAttribute(attributes, name, value);
}

std::string_view HtmlAttribute(std::string_view attributes, std::string_view name) {
  std::string_view value;
  return FindAttribute(attributes, name, value) ? value : std::string_view();
}

}  // namespace rhodes
