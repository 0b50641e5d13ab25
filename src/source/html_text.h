// The readable text of an HTML page.
#ifndef RHODES_SOURCE_HTML_TEXT_H_
#define RHODES_SOURCE_HTML_TEXT_H_

#include <string>
#include <string_view>

#include "record/record.h"

namespace rhodes {

struct HtmlPage {
  std::string text;      // paragraphs on one line each, a blank line between them; list items with "- "; tables by row
  std::string title;     // of <title>
  std::string language;  // of <html lang>, as written

  // Of articles, from JSON-LD, the meta elements or the page; empty when not said.
  bool is_article = false;
  std::string author;
  std::string published;  // as written
  std::string url;        // canonical
  std::string site;
  std::string description;
  std::string section;
};

// Puts what a page says of itself into a record: kind "article" or "page", fields title, url (unless it is there),
// site, description, section; author and time.
void FillFromPage(const HtmlPage& page, Record& record);

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
