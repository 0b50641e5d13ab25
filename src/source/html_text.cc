#include "source/html_text.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/text.h"
#include "source/arabic.h"
#include "source/html_article.h"
#include "source/html_tree.h"
#include "source/time.h"
#include "source/x_text.h"

namespace rhodes {
namespace {

constexpr size_t kShortestArticle = 250;  // bytes
constexpr int kMostUnclosed = 1000;

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }

struct Tag {
  std::string name;  // lower case
  bool closing = false;
  bool self_closing = false;
  std::vector<std::pair<std::string, std::string_view>> attributes;  // names in lower case, values as written

  std::string_view Get(std::string_view wanted) const {
    for (const auto& [attribute, value] : attributes) {
      if (attribute == wanted) return value;
    }
    return {};
  }
  bool Has(std::string_view wanted) const {
    return std::any_of(attributes.begin(), attributes.end(), [&](const auto& pair) { return pair.first == wanted; });
  }
};

// Reads the tag whose '<' is at `at`; returns the position behind its '>', or nothing when there is no tag.
std::optional<size_t> ReadTag(std::string_view html, size_t at, Tag& tag) {
  size_t i = at + 1;
  tag = {};
  if (i < html.size() && html[i] == '/') {
    tag.closing = true;
    ++i;
  }
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (i >= html.size() || !letter(html[i])) return std::nullopt;
  size_t begin = i;
  while (i < html.size() && !IsSpace(html[i]) && html[i] != '>' && html[i] != '/') ++i;
  tag.name = LowerAscii(html.substr(begin, i - begin));
  while (i < html.size()) {
    while (i < html.size() && (IsSpace(html[i]) || html[i] == '/')) {
      tag.self_closing = html[i] == '/';
      ++i;
    }
    if (i >= html.size()) return std::nullopt;
    if (html[i] == '>') return i + 1;
    tag.self_closing = false;
    begin = i++;
    while (i < html.size() && !IsSpace(html[i]) && html[i] != '=' && html[i] != '>' && html[i] != '/') ++i;
    std::string name = LowerAscii(html.substr(begin, i - begin));
    size_t value_at = i;
    while (value_at < html.size() && IsSpace(html[value_at])) ++value_at;
    std::string_view value;
    if (value_at < html.size() && html[value_at] == '=') {
      i = value_at + 1;
      while (i < html.size() && IsSpace(html[i])) ++i;
      if (i < html.size() && (html[i] == '"' || html[i] == '\'')) {
        const size_t close = html.find(html[i], i + 1);
        if (close == std::string_view::npos) return std::nullopt;
        value = html.substr(i + 1, close - i - 1);
        i = close + 1;
      } else {
        begin = i;
        while (i < html.size() && !IsSpace(html[i]) && html[i] != '>') ++i;
        value = html.substr(begin, i - begin);
      }
    }
    if (tag.attributes.size() < 64) tag.attributes.emplace_back(std::move(name), value);
  }
  return std::nullopt;
}

bool IsOneOf(std::string_view name, const std::set<std::string_view>& set) { return set.contains(name); }

const std::set<std::string_view> kVoid = {"area",  "base", "br",   "col",   "embed",  "hr",    "img",
                                          "input", "link", "meta", "param", "source", "track", "wbr"};
const std::set<std::string_view> kNoText = {"nav",    "footer", "aside",  "noscript", "template", "iframe", "svg",
                                            "select", "button", "object", "audio",    "video",    "canvas", "datalist"};
const std::set<std::string_view> kRaw = {"script", "style", "textarea", "title", "xmp"};
const std::set<std::string_view> kParagraphs = {"p",  "h1",  "h2",         "h3",      "h4",  "h5",
                                                "h6", "pre", "blockquote", "hr",      "dl",  "table",
                                                "ul", "ol",  "section",    "article", "main"};
const std::set<std::string_view> kLines = {
    "div",      "li",      "dt",      "dd",      "tr",     "br",   "header", "address", "form",  "figure", "figcaption",
    "fieldset", "caption", "details", "summary", "center", "body", "html",   "thead",   "tbody", "legend"};

// Class, id and role names of parts that lead around instead of saying something (DocBook's, Publican's, Sphinx').
bool IsNavigation(const Tag& tag) {
  static const std::set<std::string_view> kNames = {"navheader", "navfooter", "docnav",     "navigation",   "toc",
                                                    "navbar",    "sidebar",   "breadcrumb", "breadcrumbs",  "menu",
                                                    "banner",    "search",    "related",    "sphinxsidebar"};
  for (const std::string_view attribute : {"class", "role", "id"}) {
    for (const std::string_view word : Split(tag.Get(attribute), ' ')) {
      if (IsOneOf(LowerAscii(word), kNames)) return true;
    }
  }
  if (tag.name == "p" && tag.Get("id") == "title") return true;  // Publican's logos
  if (tag.Has("hidden") || tag.Get("aria-hidden") == "true") return true;
  const std::string style = LowerAscii(tag.Get("style"));
  return style.find("display:none") != std::string::npos || style.find("display: none") != std::string::npos;
}

// Puts the text together.
class Page {
 public:
  void Text(std::string_view text) {
    if (preformatted_ > 0) {
      for (const char c : text) {
        if (c == '\r') continue;
        if (c == '\n') {
          EndLine(true);
        } else {
          line_ += c;
        }
      }
      return;
    }
    for (size_t i = 0; i < text.size();) {
      // A no-break space is a blank to a reader.
      const bool no_break = text.substr(i, 2) == "\xC2\xA0";
      if (no_break || IsSpace(text[i])) {
        space_ = true;
        i += no_break ? 2 : 1;
        continue;
      }
      if (space_ && !line_.empty() && line_.back() != ' ') line_ += ' ';
      space_ = false;
      size_t end = i + 1;
      while (end < text.size() && !IsSpace(text[end]) && text[end] != '\xC2') ++end;
      line_.append(text.substr(i, end - i));
      i = end;
    }
  }
  void Break() {
    if (line_ == marker_ && !marker_.empty()) return;  // <li><p>: the text follows its dash
    EndLine(false);
  }
  void Blank() {
    if (line_ == marker_ && !marker_.empty()) return;
    EndLine(false);
    blank_ = true;
  }
  void Item(size_t depth) {
    EndLine(false);
    marker_ = std::string(2 * std::min<size_t>(depth > 0 ? depth - 1 : 0, 8), ' ') + "- ";
    line_ = marker_;
  }
  void Cell() {
    if (!line_.empty() && !line_.ends_with(" | ")) line_ += " | ";
    space_ = false;
  }
  void BeginKept() { ++preformatted_; }
  void EndKept() {
    if (preformatted_ > 0) --preformatted_;
    Blank();
  }
  size_t size() {
    EndLine(false);
    return out_.size();
  }
  std::string Take() {
    EndLine(false);
    return std::move(out_);
  }

 private:
  void EndLine(bool kept) {
    space_ = false;
    std::string_view line = line_;
    while (!line.empty() && (IsSpace(line.back()) || (!kept && line.ends_with('|') && line.size() > 1)))
      line.remove_suffix(1);
    if (line.empty() || line == Trim(marker_)) {
      if (kept) blank_ = true;
    } else {
      if (blank_ && !out_.empty()) out_ += '\n';
      blank_ = false;
      out_ += line;
      out_ += '\n';
    }
    line_.clear();
    marker_.clear();
  }

  std::string out_;
  std::string line_;
  std::string marker_;
  bool space_ = false;
  bool blank_ = false;
  int preformatted_ = 0;
};

class Extractor {
 public:
  explicit Extractor(std::string_view html) : html_(html) {}

  HtmlPage Run() {
    while (at_ < html_.size()) {
      const size_t open = std::min(html_.find('<', at_), html_.size());
      if (skipping_.empty() && open > at_) page_.Text(DecodeHtmlEntities(html_.substr(at_, open - at_)));
      at_ = open;
      if (at_ < html_.size()) Markup();
    }
    if (part_begin_) ClosePart();
    result_.text = page_.Take();
    if (parts_ == 1 && part_.second <= result_.text.size() && part_.second - part_.first >= 200) {
      result_.text = result_.text.substr(part_.first, part_.second - part_.first);
    }
    while (result_.text.starts_with('\n')) result_.text.erase(0, 1);
    return std::move(result_);
  }

 private:
  void Markup() {
    const std::string_view rest = html_.substr(at_);
    if (rest.starts_with("<!--")) {
      const size_t end = html_.find("-->", at_ + 4);
      at_ = end == std::string_view::npos ? html_.size() : end + 3;
      return;
    }
    if (rest.starts_with("<![CDATA[")) {
      const size_t end = std::min(html_.find("]]>", at_), html_.size());
      if (skipping_.empty()) page_.Text(html_.substr(at_ + 9, end - std::min(end, at_ + 9)));
      at_ = std::min(end + 3, html_.size());
      return;
    }
    if (rest.starts_with("<!") || rest.starts_with("<?")) {
      const size_t end = html_.find('>', at_);
      at_ = end == std::string_view::npos ? html_.size() : end + 1;
      return;
    }
    Tag tag;
    const std::optional<size_t> end = ReadTag(html_, at_, tag);
    if (!end) {  // a bare '<', or a tag that is never closed: looking for its end anew each time would be quadratic
      if (++unclosed_ > kMostUnclosed) {
        if (skipping_.empty()) page_.Text(rest);
        at_ = html_.size();
        return;
      }
      if (skipping_.empty()) page_.Text("<");
      ++at_;
      return;
    }
    at_ = *end;
    if (tag.closing) {
      Closing(tag);
    } else {
      Opening(tag);
    }
  }

  // Whether "</name" comes after here. Looked up once a name when it does not, so that unclosed tags cost no more.
  bool ClosesLater(const std::string& name) {
    if (never_closed_.contains(name)) return false;
    for (size_t i = html_.find("</", at_); i != std::string_view::npos; i = html_.find("</", i + 2)) {
      if (LowerAscii(html_.substr(i + 2, name.size())) == name) return true;
    }
    never_closed_.insert(name);
    return false;
  }

  void Opening(const Tag& tag) {
    if (!skipping_.empty()) {
      if (tag.name == skipping_ && !tag.self_closing) ++skip_depth_;
      if (IsOneOf(tag.name, kRaw)) SkipRaw(tag.name);
      return;
    }
    if (IsOneOf(tag.name, kRaw)) {
      const std::string_view content = SkipRaw(tag.name);
      if (tag.name == "title" && result_.title.empty()) result_.title = OneLine(DecodeHtmlEntities(content));
      return;
    }
    if (tag.name == "html") {
      const std::string_view language = tag.Get("lang");
      result_.language = language.empty() ? tag.Get("xml:lang") : language;
    }
    const bool is_void = IsOneOf(tag.name, kVoid);
    if (!is_void && !tag.self_closing && tag.name != "body" && tag.name != "html" && tag.name != "main" &&
        (IsOneOf(tag.name, kNoText) || IsNavigation(tag)) && ClosesLater(tag.name)) {
      skipping_ = tag.name;
      skip_depth_ = 1;
      return;
    }
    if (tag.name == "li") {
      page_.Item(list_depth_);
    } else if (tag.name == "td" || tag.name == "th") {
      page_.Cell();
    } else if (IsOneOf(tag.name, kParagraphs) || IsOneOf(tag.name, kLines)) {
      EndBlock(tag.name);
    } else if (tag.name == "img") {
      page_.Text(DecodeHtmlEntities(tag.Get("alt")));
    }
    if (tag.name == "pre") page_.BeginKept();
    if (tag.name == "ul" || tag.name == "ol") ++list_depth_;
    if (tag.name == "main" || tag.name == "article" || tag.Get("role") == "main") OpenPart(tag.name);
    if (part_begin_ && tag.name == part_name_) ++part_depth_;
  }

  void Closing(const Tag& tag) {
    if (!skipping_.empty()) {
      if (tag.name == skipping_ && --skip_depth_ == 0) skipping_.clear();
      return;
    }
    if (tag.name == "pre") page_.EndKept();
    if ((tag.name == "ul" || tag.name == "ol") && list_depth_ > 0) --list_depth_;
    if (part_begin_ && tag.name == part_name_ && --part_depth_ == 0) ClosePart();
    if (IsOneOf(tag.name, kParagraphs) || IsOneOf(tag.name, kLines)) EndBlock(tag.name);
  }

  // Inside of a list no blank lines, so that its items stay together.
  void EndBlock(const std::string& name) {
    if (IsOneOf(name, kParagraphs) && (list_depth_ == 0 || name == "pre")) {
      page_.Blank();
    } else {
      page_.Break();
    }
  }

  // <main> wins over <article>; of several articles none is the page's.
  void OpenPart(const std::string& name) {
    if (part_begin_) return;
    const bool main = name != "article";
    if (main && !has_main_) {
      has_main_ = true;
      parts_ = 0;
    } else if (!main && has_main_) {
      return;
    }
    part_name_ = name;
    part_begin_ = page_.size();
    part_depth_ = 0;
  }

  void ClosePart() {
    ++parts_;
    part_ = {*part_begin_, page_.size()};
    part_begin_.reset();
  }

  // Moves behind the end of a raw element; returns what is in it.
  std::string_view SkipRaw(const std::string& name) {
    const size_t begin = at_;
    for (size_t i = html_.find("</", at_); i != std::string_view::npos; i = html_.find("</", i + 2)) {
      if (LowerAscii(html_.substr(i + 2, name.size())) != name) continue;
      const size_t end = html_.find('>', i);
      at_ = end == std::string_view::npos ? html_.size() : end + 1;
      return html_.substr(begin, i - begin);
    }
    at_ = html_.size();
    return html_.substr(begin);
  }

  static std::string OneLine(std::string_view text) {
    Page line;
    line.Text(text);
    return std::string(Trim(line.Take()));
  }

  const std::string_view html_;
  size_t at_ = 0;
  HtmlPage result_;
  Page page_;
  std::string skipping_;  // the element that is being left out
  size_t skip_depth_ = 0;
  std::set<std::string> never_closed_;
  int unclosed_ = 0;
  size_t list_depth_ = 0;
  // The main part of the page, as a range of the text.
  std::string part_name_;
  std::optional<size_t> part_begin_;
  size_t part_depth_ = 0;
  bool has_main_ = false;
  int parts_ = 0;
  std::pair<size_t, size_t> part_;
};

// White space as a browser shows it in a title.
std::string OnOneLine(std::string_view text) {
  std::string line;
  for (const char c : Trim(text)) {
    const bool space = c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
    if (space && line.ends_with(' ')) continue;
    line += space ? ' ' : c;
  }
  return line;
}

}  // namespace

HtmlPage ExtractHtml(std::string_view html) {
  const HtmlTree tree = ParseHtml(html);
  HtmlMetadata metadata = ReadHtmlMetadata(tree);
  HtmlPage& page = metadata.page;
  // A page that describes itself for others to link to is taken for an article when it holds a text of some length. All
  // others, manuals among them, are read whole: there every paragraph counts, and scores would lose tables and lists.
  if (metadata.is_web_page) page.text = ExtractArticleText(tree);
  if (page.text.size() >= kShortestArticle) {
    page.is_article = true;
    page.title = OnOneLine(page.title);
    NormaliseArabic(page.text);
    NormaliseArabic(page.title);
    return std::move(page);
  }
  HtmlPage whole = Extractor(html).Run();
  page.text =
      metadata.article_body.size() > whole.text.size() ? std::move(metadata.article_body) : std::move(whole.text);
  if (page.title.empty()) page.title = std::move(whole.title);
  page.title = OnOneLine(page.title);
  NormaliseArabic(page.text);
  NormaliseArabic(page.title);
  if (!whole.language.empty()) page.language = std::move(whole.language);
  return std::move(page);
}

std::string HtmlCharset(std::string_view bytes) {
  const std::string head = LowerAscii(bytes.substr(0, 4096));
  size_t at = head.find("charset=");
  if (at == std::string::npos) at = head.find("encoding=");
  if (at == std::string::npos) return "";
  at = head.find('=', at) + 1;
  while (at < head.size() && (head[at] == '"' || head[at] == '\'' || head[at] == ' ')) ++at;
  const size_t end = std::min(head.find_first_of("\"' ;>/?\n", at), head.size());
  return head.substr(at, end - at);
}

void FillFromPage(const HtmlPage& page, Record& record) {
  record.kind = page.is_article ? "article" : "page";
  if (record.author.empty()) record.author = page.author;
  AddField("title", page.title, record);
  const bool has_url =
      std::any_of(record.fields.begin(), record.fields.end(), [](const auto& field) { return field.first == "url"; });
  if (!has_url) AddField("url", page.url, record);
  AddField("site", page.site, record);
  AddField("description", page.description, record);
  AddField("section", page.section, record);
  if (page.published.empty()) return;
  std::optional<Instant> instant = ParseInstant(page.published);
  if (!instant || instant->time < 0) {
    AddField("published", page.published, record);
    return;
  }
  record.time = instant->time;
  record.time_precision = instant->precision;
}

}  // namespace rhodes
