// X's API v1.1: tweets a line, search responses, the lines of streams.
#ifndef RHODES_SOURCE_X_V1_H_
#define RHODES_SOURCE_X_V1_H_

#include <simdjson.h>

#include <string>

#include "source/format.h"

namespace rhodes {

// Records: kind "post" (fields: docs/sources/x.md), and the stream's notices as "delete", "scrub-geo", "withheld",
// "limit" and "notice". Files: JSON Lines of tweets, notices and search responses; one array of tweets; one search
// response ({"statuses": [...]}) over any number of lines.
const Format& XV1Format();

// A tweet object of v1.1, or of an archive (where all numbers are strings), into `record`: all but original, origin and
// id. Returns what is wrong, or "". `owner`: the author where the tweet names none.
std::string ReadXTweet(simdjson::dom::object tweet, const std::string& owner, Record& record);

}  // namespace rhodes

#endif  // RHODES_SOURCE_X_V1_H_
