// HTML pages.
#ifndef RHODES_SOURCE_HTML_H_
#define RHODES_SOURCE_HTML_H_

#include "source/format.h"

namespace rhodes {

// Record: the whole file, kind "page"; text as in html_text.h.
//   language  of <html lang>, else from the path (.../html/ar-MA/...)
//   fields    title, name (the file's), package (when the path tells it), encoding (when not UTF-8)
// Encoding: UTF-8, else what the page declares, else Windows-1252. A page without text is rejected.
const Format& HtmlFormat();

}  // namespace rhodes

#endif  // RHODES_SOURCE_HTML_H_
