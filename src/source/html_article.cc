#include "source/html_article.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/text.h"

namespace rhodes {
namespace {

using enum HtmlElement;

// Words in classes and ids that name what is not the article. Short ones count as whole words only.
constexpr std::array<std::string_view, 62> kUnlikely = {
    "comment",    "disqus",       "sidebar",     "side-bar",  "share",      "sharing",     "social",     "footer",
    "related",    "recommend",    "promo",       "sponsor",   "newsletter", "subscribe",   "signup",     "sign-up",
    "breadcrumb", "navigation",   "navbar",      "nav-",      "menu",       "masthead",    "cookie",     "consent",
    "gdpr",       "popup",        "modal",       "banner",    "advert",     "outbrain",    "taboola",    "trending",
    "most-read",  "most-popular", "mostread",    "popular",   "widget",     "toolbar",     "pagination", "pager",
    "byline",     "author-bio",   "author-info", "authorbio", "timestamp",  "copyright",   "credit",     "caption",
    "thumbnail",  "carousel",     "slideshow",   "gallery",   "skip-link",  "hidden",      "visually",   "sr-only",
    "print-only", "read-more",    "readmore",    "more-on",   "also-read",  "inline-story"};
constexpr std::array<std::string_view, 18> kUnlikelyWords = {
    "ad",    "ads",   "tags",  "tag",    "meta",     "rail",      "nav",    "aside", "header",
    "extra", "legal", "login", "search", "dateline", "pullquote", "teaser", "toc",   "tools"};
constexpr std::array<std::string_view, 12> kLikely = {"article", "body", "content", "entry",  "main",      "story",
                                                      "post",    "text", "blog",    "hentry", "paragraph", "column"};

struct Hint {
  bool unlikely = false;
  int weight = 0;  // for the score
};

bool HasWord(std::string_view names, std::string_view word) {
  for (size_t at = names.find(word); at != std::string_view::npos; at = names.find(word, at + 1)) {
    const auto letter = [&](size_t i) { return i < names.size() && names[i] >= 'a' && names[i] <= 'z'; };
    if ((at == 0 || !letter(at - 1)) && !letter(at + word.size())) return true;
  }
  return false;
}

Hint HintOf(const std::string& names) {
  Hint hint;
  const auto in = [&](std::string_view word) { return names.find(word) != std::string::npos; };
  const bool likely = std::any_of(kLikely.begin(), kLikely.end(), in);
  bool unlikely = std::any_of(kUnlikely.begin(), kUnlikely.end(), in);
  for (const std::string_view word : kUnlikelyWords) unlikely = unlikely || HasWord(names, word);
  // "article-share" is for sharing all the same; "content-with-sidebar" and "article-body-commercial-selector" are not
  // what they are named after second.
  const bool body = in("article-body") || in("article__body") || in("articlebody") || in("story-body") ||
                    in("entry-content") || in("post-content") || in("article-content") || in("post-body") ||
                    in("main-content") || in("with-sidebar") || in("has-sidebar") || in("no-sidebar");
  hint.unlikely = unlikely && !body;
  hint.weight = (likely ? 25 : 0) - (hint.unlikely ? 25 : 0) + (body ? 25 : 0);
  return hint;
}

bool IsDropped(HtmlElement element) {
  switch (element) {
    case kScript:
    case kStyle:
    case kNav:
    case kFooter:
    case kAside:
    case kIframe:
    case kButton:
    case kNoscript:
    case kSvg:
    case kSelect:
    case kTemplate:
    case kTextarea:
    case kTitle:
    case kHead:
    case kObject:
    case kAudio:
    case kVideo:
    case kCanvas:
    case kFigcaption:
    case kDialog:
    case kInput:
    case kLabel:
    case kLegend:
    case kFieldset:
      return true;
    default:
      return false;
  }
}

struct Measures {
  uint32_t text = 0;    // characters of text, white space as one
  uint32_t linked = 0;  // of them within links
  uint32_t commas = 0;
  uint32_t paragraphs = 0;  // paragraphs of some length
};

class Article {
 public:
  explicit Article(const HtmlTree& tree) : nodes_(tree.nodes), state_(nodes_.size()), score_(nodes_.size()) {}

  std::string Text() {
    Mark();
    Measure();
    Score();
    const uint32_t top = Top();
    if (top == 0) return "";
    for (const uint32_t root : Roots(top)) Render(root);
    Flush();
    return std::move(out_);
  }

 private:
  struct State {
    bool dropped = false;
    int16_t weight = 0;
    Measures measures;
  };

  const Hint& HintFor(const HtmlNode& node) {
    scratch_.clear();
    for (const char* attribute : {"class", "id", "itemprop", "role", "data-component", "data-testid"}) {
      scratch_ += LowerAscii(HtmlAttribute(node.attributes, attribute));
      scratch_ += ' ';
    }
    const auto [found, added] = hints_.try_emplace(scratch_);
    if (added) found->second = HintOf(scratch_);
    return found->second;
  }

  // What is no part of any article.
  void Mark() {
    for (uint32_t i = 1; i < nodes_.size(); ++i) {
      const HtmlNode& node = nodes_[i];
      State& state = state_[i];
      state.dropped = state_[node.parent].dropped || IsDropped(node.element);
      if (state.dropped || node.element == kText || node.attributes.empty()) continue;
      if (node.element == kBody || node.element == kHtml || node.element == kArticle || node.element == kMain) continue;
      const Hint& hint = HintFor(node);
      state.weight = static_cast<int16_t>(hint.weight);
      const std::string_view property = HtmlAttribute(node.attributes, "itemprop");
      if (property == "articleBody") {
        state.weight = 100;
        continue;
      }
      if (hint.unlikely && node.element != kA && node.element != kSpan && !IsHtmlHeading(node.element))
        state.dropped = true;
      if (hint.unlikely && (node.element == kSpan || IsHtmlHeading(node.element)) && hint.weight < 0)
        state.dropped = true;
      const std::string_view role = HtmlAttribute(node.attributes, "role");
      if (role == "navigation" || role == "complementary" || role == "banner" || role == "contentinfo" ||
          role == "dialog") {
        state.dropped = true;
      }
      if (HasHtmlAttribute(node.attributes, "hidden") || HtmlAttribute(node.attributes, "aria-hidden") == "true")
        state.dropped = true;
      const std::string_view style = HtmlAttribute(node.attributes, "style");
      if (style.find("display:none") != std::string_view::npos ||
          style.find("display: none") != std::string_view::npos) {
        state.dropped = true;
      }
    }
    Rescue();
  }

  // A page whose whole text stands within something of an unlucky name ("main-sidebar-wrapper") is not empty for it.
  void Rescue() {
    uint64_t kept = 0;
    uint64_t all = 0;
    for (uint32_t i = 1; i < nodes_.size(); ++i) {
      const HtmlNode& node = nodes_[i];
      if (node.element != kP) continue;
      const uint64_t length = TextLength(i);
      all += length;
      if (!state_[i].dropped) kept += length;
    }
    if (all < 400 || kept * 4 > all) return;
    for (uint32_t i = 1; i < nodes_.size(); ++i) {
      const HtmlNode& node = nodes_[i];
      state_[i].dropped = state_[node.parent].dropped || IsDropped(node.element);
    }
  }

  uint64_t TextLength(uint32_t root) const {
    uint64_t length = 0;
    for (uint32_t child = nodes_[root].first_child; child != 0; child = nodes_[child].next) {
      length += nodes_[child].element == kText ? nodes_[child].text.size() : TextLength(child);
    }
    return length;
  }

  // Sums over subtrees; children stand behind their parents, so one pass backwards does it.
  void Measure() {
    for (size_t i = nodes_.size(); i-- > 1;) {
      const HtmlNode& node = nodes_[i];
      State& state = state_[i];
      if (state.dropped) continue;
      if (node.element == kText) {
        bool space = true;
        for (const char c : node.text) {
          const bool blank = c == ' ' || c == '\n' || c == '\t' || c == '\r';
          if ((static_cast<uint8_t>(c) & 0xC0) != 0x80 && !(blank && space)) ++state.measures.text;
          if (c == ',') ++state.measures.commas;
          space = blank;
        }
        // The Arabic comma and the ideographic ones count as commas do.
        for (const std::string_view comma : {"،", "、", "，"}) {
          for (size_t at = node.text.find(comma); at != std::string_view::npos; at = node.text.find(comma, at + 1)) {
            ++state.measures.commas;
          }
        }
        if (state.measures.text == 1 && Trim(node.text).empty()) state.measures.text = 0;
      }
      if (node.element == kA) state.measures.linked = state.measures.text;
      if (node.element == kP && state.measures.text > 80) ++state.measures.paragraphs;
      Measures& above = state_[node.parent].measures;
      above.text += state.measures.text;
      above.linked += state.measures.linked;
      above.commas += state.measures.commas;
      above.paragraphs += state.measures.paragraphs;
    }
  }

  double LinkDensity(uint32_t i) const {
    const Measures& measures = state_[i].measures;
    return measures.text == 0 ? 0 : static_cast<double>(measures.linked) / measures.text;
  }

  bool HasBlockChild(uint32_t i) const {
    for (uint32_t child = nodes_[i].first_child; child != 0; child = nodes_[child].next) {
      if (IsHtmlBlock(nodes_[child].element) && !state_[child].dropped) return true;
    }
    return false;
  }

  bool IsParagraph(uint32_t i) const {
    switch (nodes_[i].element) {
      case kP:
      case kPre:
      case kBlockquote:
        return true;
      case kTd:
      case kDiv:
      case kSection:
      case kLi:
        return !HasBlockChild(i);
      default:
        return false;
    }
  }

  static double BaseScore(HtmlElement element) {
    switch (element) {
      case kArticle:
      case kMain:
        return 15;
      case kDiv:
      case kSection:
        return 5;
      case kPre:
      case kTd:
      case kBlockquote:
        return 3;
      case kUl:
      case kOl:
      case kDl:
      case kForm:
      case kAddress:
      case kLi:
        return -3;
      default:
        return IsHtmlHeading(element) || element == kTh ? -5 : 0;
    }
  }

  void Give(uint32_t i, double points) {
    if (score_[i] == 0) score_[i] = BaseScore(nodes_[i].element) + state_[i].weight;
    score_[i] += points;
  }

  void Score() {
    for (uint32_t i = 1; i < nodes_.size(); ++i) {
      if (state_[i].dropped || !IsParagraph(i)) continue;
      const Measures& measures = state_[i].measures;
      if (measures.text < 25) continue;
      double points = 1 + measures.commas + std::min(measures.text / 100, 3U);
      points *= 1 - LinkDensity(i);
      uint32_t above = nodes_[i].parent;
      for (int level = 0; level < 4 && above != 0; ++level, above = nodes_[above].parent) {
        Give(above, level == 0 ? points : level == 1 ? points / 2 : points / (level * 3));
      }
    }
    for (uint32_t i = 1; i < nodes_.size(); ++i) {
      if (score_[i] != 0) score_[i] *= 1 - LinkDensity(i);
    }
  }

  uint32_t Top() const {
    uint32_t best = 0;
    for (uint32_t i = 1; i < nodes_.size(); ++i) {
      if (!state_[i].dropped && score_[i] > (best == 0 ? 0 : score_[best])) best = i;
    }
    if (best == 0) return 0;
    // Paragraphs that stand each in a box of its own: their common container holds far more of them.
    uint32_t top = best;
    for (uint32_t above = nodes_[top].parent;
         above != 0 && nodes_[above].element != kBody && nodes_[above].element != kHtml; above = nodes_[above].parent) {
      const Measures& inner = state_[top].measures;
      const Measures& outer = state_[above].measures;
      const bool more = outer.paragraphs >= inner.paragraphs + 2 && outer.text > inner.text + inner.text / 4;
      const bool clean = LinkDensity(above) < 0.25 && (nodes_[above].element != kMain || LinkDensity(above) < 0.1);
      if (more && clean && score_[above] > score_[top] * 0.2) top = above;
    }
    return top;
  }

  // The top and those of its siblings that look like parts of the same text.
  std::vector<uint32_t> Roots(uint32_t top) const {
    const uint32_t parent = nodes_[top].parent;
    if (parent == 0 || nodes_[top].element == kBody || nodes_[top].element == kArticle) return {top};
    std::vector<uint32_t> roots;
    const double least = std::max(10.0, score_[top] * 0.2);
    for (uint32_t child = nodes_[parent].first_child; child != 0; child = nodes_[child].next) {
      if (child == top) {
        roots.push_back(child);
        continue;
      }
      if (state_[child].dropped) continue;
      const Measures& measures = state_[child].measures;
      const bool same_class = !nodes_[top].attributes.empty() && nodes_[child].attributes == nodes_[top].attributes;
      const bool scored = score_[child] + (same_class ? score_[top] * 0.2 : 0) > least && LinkDensity(child) < 0.4;
      const bool paragraph = nodes_[child].element == kP && measures.text > 80 && LinkDensity(child) < 0.25;
      if (scored || paragraph) roots.push_back(child);
    }
    return roots;
  }

  // Lists of links, boxes that lead elsewhere, tables of numbers: within the article, not of it.
  bool IsClutter(uint32_t i) const {
    const HtmlNode& node = nodes_[i];
    const Measures& measures = state_[i].measures;
    switch (node.element) {
      case kUl:
      case kOl:
      case kDl:
      case kTable:
      case kDiv:
      case kSection:
      case kForm:
      case kHeader:
        break;
      case kP:
      case kLi:
        // "Read more: ..." is all link.
        return measures.text > 0 && LinkDensity(i) > 0.95 && measures.text < 200 && measures.commas < 3;
      default:
        return IsHtmlHeading(node.element) && LinkDensity(i) > 0.95;
    }
    if (measures.text == 0) return true;
    if (node.element == kForm && measures.paragraphs < 2) return true;
    const double density = LinkDensity(i);
    if (node.element == kUl || node.element == kOl || node.element == kDl) return density > 0.6;
    return density > 0.5 || (state_[i].weight < 0 && density > 0.2);
  }

  void Flush() {
    std::string_view line = Trim(line_);
    if (!line.empty()) {
      if (!out_.empty()) out_ += "\n\n";
      out_ += line;
    }
    line_.clear();
  }

  void Text(std::string_view raw) {
    const std::string text = DecodeHtmlEntities(raw);
    for (size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      const bool no_break = c == '\xC2' && i + 1 < text.size() && text[i + 1] == '\xA0';
      if (c == ' ' || c == '\n' || c == '\t' || c == '\r' || no_break) {
        if (!line_.empty() && line_.back() != ' ') line_ += ' ';
        i += no_break ? 1 : 0;
      } else {
        line_ += c;
      }
    }
  }

  void Render(uint32_t i) {
    const HtmlNode& node = nodes_[i];
    if (state_[i].dropped) return;
    if (node.element == kText) return Text(node.text);
    if (node.element == kBr) {
      line_ += line_.empty() ? "" : "\n";
      return;
    }
    if (IsClutter(i)) return;
    if (node.element == kH1) return Flush();  // the title, which is a field of its own
    const bool block = IsHtmlBlock(node.element);
    if (block) Flush();
    if (node.element == kLi) line_ = "- ";
    for (uint32_t child = node.first_child; child != 0; child = nodes_[child].next) Render(child);
    if (node.element == kLi && line_ == "- ") line_.clear();
    if (block) Flush();
  }

  const std::vector<HtmlNode>& nodes_;
  std::vector<State> state_;
  std::vector<double> score_;
  absl::flat_hash_map<std::string, Hint> hints_;
  std::string scratch_;
  std::string line_;
  std::string out_;
};

}  // namespace

std::string ExtractArticleText(const HtmlTree& tree) { return Article(tree).Text(); }

}  // namespace rhodes
