// The main text of an article's page, and what the page says of the article.
#ifndef RHODES_SOURCE_HTML_ARTICLE_H_
#define RHODES_SOURCE_HTML_ARTICLE_H_

#include <string>
#include <string_view>

#include "source/html_text.h"
#include "source/html_tree.h"

namespace rhodes {

// Fills title, author, published, url, site, description, section, language and is_article from JSON-LD, the meta
// elements and microdata. `article_body`: what JSON-LD gives as the text; empty when it gives none. `is_web_page`: the
// page describes itself for others to link to (OpenGraph, JSON-LD, ...), as articles do and manuals do not.
struct HtmlMetadata {
  HtmlPage page;
  std::string article_body;
  bool is_web_page = false;
};
HtmlMetadata ReadHtmlMetadata(const HtmlTree& tree);

// The text of what looks like the article: paragraphs collect points for their length and commas, their containers
// inherit them, and lose them for links (Readability's idea); what is named like comments, sharing, navigation and
// advertising is left out. Empty when nothing has points.
std::string ExtractArticleText(const HtmlTree& tree);

}  // namespace rhodes

#endif  // RHODES_SOURCE_HTML_ARTICLE_H_
