// RSS, Atom and JSON Feed.
#ifndef RHODES_SOURCE_FEED_H_
#define RHODES_SOURCE_FEED_H_

#include "source/format.h"

namespace rhodes {

// RSS 0.9x, 1.0 and 2.0, Atom 0.3 and 1.0, JSON Feed 1.x. A record an item, kind "feed-item": its text is the whole
// content where the feed gives it, else the description, as plain text. Feeds that are not well-formed are read as far
// as they go; an item that is never closed is rejected.
const Format& FeedFormat();

// HTML or text of a feed's element as plain text.
std::string FeedText(std::string_view content);

}  // namespace rhodes

#endif  // RHODES_SOURCE_FEED_H_
