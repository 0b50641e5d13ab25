// The readable text of an HTML page.
#ifndef RHODES_SOURCE_HTML_TEXT_H_
#define RHODES_SOURCE_HTML_TEXT_H_

#include <string>
#include <string_view>

namespace rhodes {

struct HtmlPage {
  std::string text;      // paragraphs on one line each, a blank line between them; list items with "- "; tables by row
  std::string title;     // of <title>
  std::string language;  // of <html lang>, as written
};

// `html` is UTF-8. Scripts, styles, navigation (nav, footer, aside, menus, tables of contents) and hidden elements are
// left out; when the page says what its main part is (main, or a single article), only that is taken. Never fails; tags
// that do not match are taken as browsers take them, roughly.
HtmlPage ExtractHtml(std::string_view html);

// Replaces character references: &amp; &#233; &#xE9; and the named ones of HTML 4.
std::string DecodeHtmlEntities(std::string_view text);

// The encoding that the page declares in its first 4 KiB, or empty.
std::string HtmlCharset(std::string_view bytes);

}  // namespace rhodes

#endif  // RHODES_SOURCE_HTML_TEXT_H_
