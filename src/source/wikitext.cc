#include "source/wikitext.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/text.h"
#include "source/html_text.h"

namespace rhodes {
namespace {

// Elements whose content is no prose.
constexpr std::array<std::string_view, 13> kDropped = {
    "ref",    "gallery", "math",       "timeline",       "score", "imagemap", "hiero", "syntaxhighlight",
    "source", "table",   "references", "templatestyles", "chem"};

bool EqualsIgnoringCase(std::string_view text, std::string_view lower) {
  return text.size() == lower.size() && LowerAscii(text) == lower;
}

// The position behind the closing tag of `name`, searched from `from`; npos when there is none.
size_t BehindClosing(std::string_view text, std::string_view name, size_t from) {
  for (size_t at = text.find("</", from); at != std::string_view::npos; at = text.find("</", at + 2)) {
    if (!EqualsIgnoringCase(text.substr(at + 2, name.size()), name)) continue;
    const size_t end = text.find('>', at);
    return end == std::string_view::npos ? text.size() : end + 1;
  }
  return std::string_view::npos;
}

class Converter {
 public:
  explicit Converter(std::string_view markup) : in_(markup) {}

  WikiText Run() {
    while (at_ < in_.size()) Step();
    return {Tidy(), std::move(categories_)};
  }

 private:
  bool At(std::string_view mark) const { return in_.compare(at_, mark.size(), mark) == 0; }

  void Step() {
    const char c = in_[at_];
    if (c == '{' && At("{{")) return SkipNested("{{", "}}");
    if (c == '{' && At("{|") && AtLineStart()) return SkipNested("{|", "|}");
    if (c == '[' && At("[[")) return Link();
    if (c == '[') return ExternalLink();
    if (c == '<') return Tag();
    if (c == '\'' && At("''")) {
      while (at_ < in_.size() && in_[at_] == '\'') ++at_;
      return;
    }
    if (c == '_' && At("__")) {  // __NOTOC__
      const size_t end = in_.find("__", at_ + 2);
      if (end != std::string_view::npos && end - at_ < 40 &&
          in_.substr(at_ + 2, end - at_ - 2).find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_") ==
              std::string_view::npos) {
        at_ = end + 2;
        return;
      }
    }
    if (AtLineStart() && (c == '=' || c == '*' || c == '#' || c == ':' || c == ';' || c == '-')) return LineStart();
    out_ += c;
    ++at_;
  }

  bool AtLineStart() const { return at_ == 0 || in_[at_ - 1] == '\n'; }

  // Positions of all closers of nested templates, found once: so that hostile nesting costs one pass, not one a level.
  void SkipNested(std::string_view open, std::string_view close) {
    size_t depth = 0;
    size_t i = at_;
    while (i < in_.size()) {
      if (in_.compare(i, 2, open) == 0) {
        ++depth;
        i += 2;
      } else if (in_.compare(i, 2, close) == 0) {
        i += 2;
        if (--depth == 0) {
          at_ = i;
          return;
        }
      } else {
        ++i;
      }
    }
    // Never closed: nothing behind it can be told from the template, but an author's slip should not cost the page:
    // the braces go, the text stays. Each pair is looked at once more at most.
    if (unclosed_++ > 8) {
      at_ = in_.size();
      return;
    }
    at_ += 2;
  }

  static bool IsFile(std::string_view target) {
    const std::string name = LowerAscii(Trim(target.substr(0, target.find(':'))));
    return name == "file" || name == "image" || name == "media" || name == "ملف" || name == "صورة" || name == "datei" ||
           name == "bild" || name == "fichier" || name == "archivo";
  }
  static bool IsCategory(std::string_view target) {
    const std::string name = LowerAscii(Trim(target.substr(0, target.find(':'))));
    return name == "category" || name == "تصنيف" || name == "kategorie" || name == "catégorie" || name == "categoría";
  }

  void Link() {
    size_t depth = 0;
    size_t end = at_;
    const size_t reach = std::min(in_.size(), at_ + 20'000);
    for (; end < reach; ++end) {
      if (in_.compare(end, 2, "[[") == 0) {
        ++depth;
        ++end;
      } else if (in_.compare(end, 2, "]]") == 0) {
        ++end;
        if (--depth == 0) break;
      }
    }
    if (end >= reach) {
      out_ += "[[";
      at_ += 2;
      return;
    }
    const std::string_view inside = in_.substr(at_ + 2, end - 1 - at_ - 2);
    at_ = end + 1;
    const bool colon = inside.find(':') != std::string_view::npos;
    if (colon && IsCategory(inside)) {
      const std::string_view name = Trim(inside.substr(inside.find(':') + 1));
      categories_.emplace_back(Trim(name.substr(0, name.find('|'))));
      return;
    }
    if (colon && IsFile(inside)) return;
    const size_t bar = inside.rfind('|');
    std::string_view shown = bar == std::string_view::npos ? inside : inside.substr(bar + 1);
    if (shown.starts_with(':')) shown.remove_prefix(1);
    // A link between languages: [[de:Lampe]].
    const size_t prefix = inside.find(':');
    if (bar == std::string_view::npos && prefix != std::string_view::npos && prefix >= 2 && prefix <= 3 &&
        std::all_of(inside.begin(), inside.begin() + static_cast<ptrdiff_t>(prefix),
                    [](char c) { return c >= 'a' && c <= 'z'; })) {
      return;
    }
    for (size_t i = 0; i < shown.size(); ++i) {
      const char c = shown[i];
      // Two apostrophes and more are markup, a single one is the text's.
      const bool doubled = c == '\'' && ((i > 0 && shown[i - 1] == '\'') || shown.substr(i + 1).starts_with('\''));
      if (!doubled && c != '[' && c != ']') out_ += c;
    }
  }

  // [http://example.org what it shows]
  void ExternalLink() {
    const size_t end = in_.find_first_of("]\n", at_);
    const std::string_view inside = in_.substr(at_ + 1, end == std::string_view::npos ? 0 : end - at_ - 1);
    if (end == std::string_view::npos || in_[end] != ']' ||
        (inside.find("://") == std::string_view::npos && !inside.starts_with("//"))) {
      out_ += '[';
      ++at_;
      return;
    }
    const size_t space = inside.find(' ');
    if (space != std::string_view::npos) out_ += Trim(inside.substr(space));
    at_ = end + 1;
  }

  void Tag() {
    if (At("<!--")) {
      const size_t end = in_.find("-->", at_);
      at_ = end == std::string_view::npos ? in_.size() : end + 3;
      return;
    }
    const size_t end = in_.find('>', at_);
    size_t name_end = at_ + 1;
    if (name_end < in_.size() && in_[name_end] == '/') ++name_end;
    const size_t name_begin = name_end;
    while (name_end < in_.size() && std::isalpha(static_cast<unsigned char>(in_[name_end])) != 0) ++name_end;
    if (end == std::string_view::npos || name_end == name_begin) {
      out_ += '<';
      ++at_;
      return;
    }
    const std::string name = LowerAscii(in_.substr(name_begin, name_end - name_begin));
    const bool closing = in_[at_ + 1] == '/';
    const bool empty = in_[end - 1] == '/';
    at_ = end + 1;
    if (name == "br" || name == "p" || name == "div") out_ += '\n';
    if (closing || empty) return;
    if (name == "nowiki" || name == "pre") {
      const size_t close = BehindClosing(in_, name, at_);
      if (close == std::string_view::npos) return;
      const size_t text_end = in_.rfind("</", close);
      out_ += in_.substr(at_, text_end - at_);
      at_ = close;
      return;
    }
    if (std::find(kDropped.begin(), kDropped.end(), name) == kDropped.end()) return;
    const size_t close = BehindClosing(in_, name, at_);
    if (close != std::string_view::npos) at_ = close;
  }

  void LineStart() {
    const size_t end = std::min(in_.find('\n', at_), in_.size());
    const std::string_view line = Trim(in_.substr(at_, end - at_));
    if (line.starts_with('=') && line.ends_with('=') && line.size() > 2) {
      const size_t level = std::min<size_t>(line.find_first_not_of('='), line.size());
      const size_t last = line.find_last_not_of('=');
      if (last != std::string_view::npos && last >= level) {
        out_ += "\n";
        out_ += Trim(line.substr(level, last - level + 1));
        out_ += "\n";
        at_ = end;
        return;
      }
    }
    if (line.starts_with("----")) {
      at_ += std::min<size_t>(in_.find_first_not_of('-', at_), end) - at_;
      return;
    }
    if (in_[at_] == '=' || in_[at_] == '-') {
      out_ += in_[at_++];
      return;
    }
    const bool item = in_[at_] == '*' || in_[at_] == '#';
    while (at_ < end && (in_[at_] == '*' || in_[at_] == '#' || in_[at_] == ':' || in_[at_] == ';')) ++at_;
    while (at_ < end && in_[at_] == ' ') ++at_;
    if (item) out_ += "- ";
  }

  // References replaced, lines trimmed, at most one blank line in a row, lines that lost all they had dropped.
  std::string Tidy() const {
    const std::string text = DecodeHtmlEntities(out_);
    std::string tidy;
    bool blank = true;
    for (std::string_view line : Split(text, '\n')) {
      line = Trim(line);
      if (line == "-") continue;
      if (line.empty()) {
        if (!blank) tidy += '\n';
        blank = true;
        continue;
      }
      tidy += line;
      tidy += '\n';
      blank = false;
    }
    while (tidy.ends_with('\n')) tidy.pop_back();
    return tidy;
  }

  std::string_view in_;
  size_t at_ = 0;
  std::string out_;
  std::vector<std::string> categories_;
  int unclosed_ = 0;
};

}  // namespace

WikiText PlainWikiText(std::string_view markup) { return Converter(markup).Run(); }

}  // namespace rhodes
