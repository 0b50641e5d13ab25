// MediaWiki's markup as plain text.
#ifndef RHODES_SOURCE_WIKITEXT_H_
#define RHODES_SOURCE_WIKITEXT_H_

#include <string>
#include <string_view>
#include <vector>

namespace rhodes {

struct WikiText {
  std::string text;
  std::vector<std::string> categories;
};

// Templates, tables, references, files and comments are left out; links keep what they show; headings stand on a line
// of their own; lists become "- ". One pass, linear in the text whatever is nested in it.
WikiText PlainWikiText(std::string_view markup);

}  // namespace rhodes

#endif  // RHODES_SOURCE_WIKITEXT_H_
