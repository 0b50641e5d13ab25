// MediaWiki's XML dumps.
#ifndef RHODES_SOURCE_MEDIAWIKI_H_
#define RHODES_SOURCE_MEDIAWIKI_H_

#include "source/format.h"

namespace rhodes {

// A record a page, kind "wiki-page": the text of its last revision without markup. A redirect has no text and says
// where it leads in fields["redirect"]. Pages of other models than wikitext keep their text as it is.
const Format& MediaWikiFormat();

}  // namespace rhodes

#endif  // RHODES_SOURCE_MEDIAWIKI_H_
