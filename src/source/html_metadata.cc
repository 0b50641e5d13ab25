#include <simdjson.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "source/html_article.h"
#include "source/json_document.h"
#include "source/time.h"

namespace rhodes {
namespace {

using enum HtmlElement;
using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

void Set(std::string value, std::string& member) {
  if (member.empty()) member = std::string(Trim(value));
}

// "0001-01-01T00:00:00Z" is how some programs write that there is no date.
void SetPublished(std::string_view value, HtmlPage& page) {
  value = Trim(value);
  if (value.empty() || value.starts_with("0001-") || value.starts_with("0000-")) return;
  Set(std::string(value), page.published);
}

bool IsArticleType(std::string_view type) {
  return type.ends_with("Article") || type == "BlogPosting" || type == "Report" || type == "LiveBlogPosting" ||
         type == "SocialMediaPosting";
}

// A name, an object with a name, or a list of those: "A. Writer, B. Writer".
std::string NamesOf(element value) {
  if (value.is_string()) return std::string(StringOf(value));
  array list;
  if (value.get(list) == simdjson::SUCCESS) {
    std::string names;
    for (const element item : list) {
      const std::string name = NamesOf(item);
      if (!name.empty()) names += (names.empty() ? "" : ", ") + name;
    }
    return names;
  }
  element name;
  return value["name"].get(name) == simdjson::SUCCESS ? NamesOf(name) : "";
}

std::string TextIn(object json, std::string_view key) {
  element value;
  if (json[key].get(value) != simdjson::SUCCESS) return "";
  if (array list; value.get(list) == simdjson::SUCCESS && list.size() > 0) value = list.at(0).value_unsafe();
  return value.is_string() ? DecodeHtmlEntities(StringOf(value)) : "";
}

bool HasArticleType(object json) {
  element type;
  if (json["@type"].get(type) != simdjson::SUCCESS) return false;
  if (type.is_string()) return IsArticleType(StringOf(type));
  array list;
  if (type.get(list) != simdjson::SUCCESS) return false;
  return std::any_of(list.begin(), list.end(), [](element item) { return IsArticleType(StringOf(item)); });
}

void TakeLinkedData(element json, int depth, HtmlMetadata& found) {
  if (depth > 4) return;
  if (array list; json.get(list) == simdjson::SUCCESS) {
    for (const element item : list) TakeLinkedData(item, depth + 1, found);
    return;
  }
  object members;
  if (json.get(members) != simdjson::SUCCESS) return;
  for (const char* key : {"@graph", "mainEntity"}) {
    if (element inner; members[key].get(inner) == simdjson::SUCCESS) TakeLinkedData(inner, depth + 1, found);
  }
  if (!HasArticleType(members)) return;
  HtmlPage& page = found.page;
  page.is_article = true;
  Set(TextIn(members, "headline"), page.title);
  SetPublished(TextIn(members, "datePublished"), page);
  Set(TextIn(members, "articleSection"), page.section);
  Set(TextIn(members, "inLanguage"), page.language);
  Set(TextIn(members, "articleBody"), found.article_body);
  element value;
  if (members["author"].get(value) == simdjson::SUCCESS) Set(DecodeHtmlEntities(NamesOf(value)), page.author);
  if (members["publisher"].get(value) == simdjson::SUCCESS) Set(DecodeHtmlEntities(NamesOf(value)), page.site);
}

void ReadLinkedData(std::string_view script, HtmlMetadata& found) {
  std::string_view text = Trim(script);
  if (text.starts_with("<!--")) text.remove_prefix(4);
  if (text.ends_with("-->")) text.remove_suffix(3);
  if (text.starts_with("//<![CDATA[")) text.remove_prefix(11);
  if (text.ends_with("//]]>")) text.remove_suffix(5);
  if (text.size() > (size_t{4} << 20)) return;
  JsonDocument document;
  element root = NullElement();
  std::string problem = document.Parse(Trim(text), 0, 0, root);
  std::string repaired;
  if (!problem.empty()) {  // line breaks within strings are the usual fault
    repaired = text;
    std::replace_if(
        repaired.begin(), repaired.end(), [](char c) { return static_cast<uint8_t>(c) < 0x20; }, ' ');
    while (repaired.ends_with(';') || repaired.ends_with(' ')) repaired.pop_back();
    problem = document.Parse(repaired, 0, 0, root);
  }
  if (problem.empty()) TakeLinkedData(root, 0, found);
}

struct MetaName {
  std::string_view name;
  std::string HtmlPage::*member;
};
// In the order of trust: what stands first wins over what comes later in the page.
constexpr std::array kMetaNames = std::to_array<MetaName>({{"og:title", &HtmlPage::title},
                                                           {"twitter:title", &HtmlPage::title},
                                                           {"article:author", &HtmlPage::author},
                                                           {"author", &HtmlPage::author},
                                                           {"byl", &HtmlPage::author},
                                                           {"sailthru.author", &HtmlPage::author},
                                                           {"parsely-author", &HtmlPage::author},
                                                           {"dc.creator", &HtmlPage::author},
                                                           {"article:published_time", &HtmlPage::published},
                                                           {"parsely-pub-date", &HtmlPage::published},
                                                           {"sailthru.date", &HtmlPage::published},
                                                           {"datepublished", &HtmlPage::published},
                                                           {"dc.date", &HtmlPage::published},
                                                           {"dc.date.issued", &HtmlPage::published},
                                                           {"pubdate", &HtmlPage::published},
                                                           {"publish-date", &HtmlPage::published},
                                                           {"date", &HtmlPage::published},
                                                           {"og:url", &HtmlPage::url},
                                                           {"og:site_name", &HtmlPage::site},
                                                           {"og:description", &HtmlPage::description},
                                                           {"description", &HtmlPage::description},
                                                           {"article:section", &HtmlPage::section},
                                                           {"content-language", &HtmlPage::language}});

class MetadataReader {
 public:
  explicit MetadataReader(const HtmlTree& tree) : nodes_(tree.nodes), meta_(kMetaNames.size()) {}

  HtmlMetadata Read() {
    for (uint32_t i = 1; i < nodes_.size(); ++i) Take(i);
    HtmlPage& page = found_.page;
    const std::string language = page.language;
    page.language = html_language_;
    if (page.language.empty()) page.language = language;
    for (size_t i = 0; i < kMetaNames.size(); ++i) {
      std::string value = meta_[i];
      // A link to a profile is not a name.
      if (kMetaNames[i].member == &HtmlPage::author && value.find("://") != std::string::npos) continue;
      if (kMetaNames[i].member == &HtmlPage::published) {
        SetPublished(value, page);
      } else {
        Set(std::move(value), page.*kMetaNames[i].member);
      }
    }
    if (page.url.empty()) page.url = canonical_;
    if (page.author.empty()) page.author = byline_;
    if (page.title.empty()) page.title = title_.empty() ? heading_ : title_;
    SetPublished(time_, page);
    return std::move(found_);
  }

 private:
  void Take(uint32_t i) {
    const HtmlNode& node = nodes_[i];
    switch (node.element) {
      case kHtml:
        if (html_language_.empty()) html_language_ = HtmlAttribute(node.attributes, "lang");
        if (html_language_.empty()) html_language_ = HtmlAttribute(node.attributes, "xml:lang");
        return;
      case kScript:
        if (HtmlAttribute(node.attributes, "type").find("ld+json") != std::string_view::npos) {
          found_.is_web_page = true;
          ReadLinkedData(node.text, found_);
        }
        return;
      case kMeta:
        return TakeMeta(node);
      case kTitle:
        if (title_.empty()) title_ = Trim(DecodeHtmlEntities(node.text));
        return;
      case kLink:
        if (HtmlAttribute(node.attributes, "rel") == "canonical") {
          Set(DecodeHtmlEntities(HtmlAttribute(node.attributes, "href")), canonical_);
        }
        return;
      case kH1:
        if (heading_.empty()) heading_ = TextOf(i);
        return;
      case kTime:
        if (time_.empty()) time_ = HtmlAttribute(node.attributes, "datetime");
        return;
      default:
        break;
    }
    if (node.attributes.empty() || node.element == kText) return;
    const std::string_view property = HtmlAttribute(node.attributes, "itemprop");
    if (property == "articleBody") found_.page.is_article = found_.is_web_page = true;
    if (property == "datePublished" && time_.empty()) time_ = HtmlAttribute(node.attributes, "content");
    const std::string_view relation = HtmlAttribute(node.attributes, "rel");
    if (byline_.empty() && (property == "author" || relation == "author")) {
      const std::string name = TextOf(i);
      if (name.size() < 100) byline_ = name;
    }
  }

  void TakeMeta(const HtmlNode& node) {
    std::string name = LowerAscii(HtmlAttribute(node.attributes, "property"));
    if (name.empty()) name = LowerAscii(HtmlAttribute(node.attributes, "name"));
    if (name.empty()) name = LowerAscii(HtmlAttribute(node.attributes, "itemprop"));
    if (name.empty()) name = LowerAscii(HtmlAttribute(node.attributes, "http-equiv"));
    const std::string content = DecodeHtmlEntities(HtmlAttribute(node.attributes, "content"));
    if (name.starts_with("og:") || name.starts_with("twitter:") || name.starts_with("article:"))
      found_.is_web_page = true;
    if (name == "og:type" && (content == "article" || content == "blog" || content == "news"))
      found_.page.is_article = true;
    if (name == "article:published_time") found_.page.is_article = true;
    for (size_t i = 0; i < kMetaNames.size(); ++i) {
      if (kMetaNames[i].name == name && meta_[i].empty()) meta_[i] = content;
    }
  }

  // The text below a node, white space as one.
  std::string TextOf(uint32_t i) const {
    std::string text;
    AddText(i, text);
    return std::string(Trim(text));
  }
  void AddText(uint32_t i, std::string& text) const {
    for (uint32_t child = nodes_[i].first_child; child != 0 && text.size() < 1000; child = nodes_[child].next) {
      if (nodes_[child].element != kText) {
        AddText(child, text);
        continue;
      }
      for (const char c : DecodeHtmlEntities(nodes_[child].text)) {
        const bool space = c == ' ' || c == '\n' || c == '\t' || c == '\r';
        if (!space) text += c;
        if (space && !text.empty() && text.back() != ' ') text += ' ';
      }
    }
  }

  const std::vector<HtmlNode>& nodes_;
  HtmlMetadata found_;
  std::vector<std::string> meta_;  // by place in kMetaNames
  std::string html_language_;
  std::string title_;
  std::string heading_;
  std::string canonical_;
  std::string byline_;
  std::string time_;
};

}  // namespace

HtmlMetadata ReadHtmlMetadata(const HtmlTree& tree) { return MetadataReader(tree).Read(); }

}  // namespace rhodes
