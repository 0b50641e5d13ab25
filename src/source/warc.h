// Web archives: WARC 0.17 to 1.1, ARC 1, WET.
#ifndef RHODES_SOURCE_WARC_H_
#define RHODES_SOURCE_WARC_H_

#include "source/format.h"

namespace rhodes {

// A record an archive's record, headers and payload together. Responses, resources and conversions of HTML and text are
// kind "page" or "article" with their main text; other payloads "resource"; all else "warc-TYPE". A record whose length
// is wrong is rejected, and reading goes on with the next one.
const Format& WarcFormat();

}  // namespace rhodes

#endif  // RHODES_SOURCE_WARC_H_
