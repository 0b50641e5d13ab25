// X's API v2: pages, flattened lines, the filtered stream and the compliance stream.
#ifndef RHODES_SOURCE_X_V2_H_
#define RHODES_SOURCE_X_V2_H_

#include "source/format.h"

namespace rhodes {

// Records: kind "post", one for each post in `data` and in `includes.tweets`, with its own bytes of the page; an entry
// of `errors`, and a page without any post, are a "notice"; compliance events are "delete", "scrub-geo", "withheld" or
// "notice". Files: one page, stream message or flattened post a line, or one page over several lines.
const Format& XV2Format();

}  // namespace rhodes

#endif  // RHODES_SOURCE_X_V2_H_
