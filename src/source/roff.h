// Manual pages (man(7), mdoc(7) and the roff requests that pages use) to readable text.
#ifndef RHODES_SOURCE_ROFF_H_
#define RHODES_SOURCE_ROFF_H_

#include <string>
#include <string_view>

namespace rhodes {

struct ManualPage {
  std::string text;      // sections with their headings; paragraphs on one line each, examples as they are
  std::string title;     // "LS"
  std::string section;   // "1"
  std::string redirect;  // a page that is only ".so man1/other.1": that name
  bool endless = false;  // macros that expand without end: the text is not complete
};

// `source` is UTF-8. Never fails: what is not understood is left out as roff itself would leave it out.
ManualPage RenderManualPage(std::string_view source);

}  // namespace rhodes

#endif  // RHODES_SOURCE_ROFF_H_
