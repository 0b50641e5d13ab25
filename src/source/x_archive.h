// The archive that X gives to a person of their own account: JavaScript files that each assign an array to a name.
#ifndef RHODES_SOURCE_X_ARCHIVE_H_
#define RHODES_SOURCE_X_ARCHIVE_H_

#include <string>
#include <string_view>

#include "source/format.h"

namespace rhodes {

enum class XArchivePart {
  kPosts,     // posts, long posts, likes, headers: read
  kManifest,  // read for the account's name
  kPrivate,   // messages, contacts, addresses, devices, what was deleted: never read
  kOther      // has no posts: not read
};
// By the file's name, as X's own data/README.txt lists them; what is not listed there is kOther.
XArchivePart XArchivePartOf(std::string_view file_name);

// The account's screen name in manifest.js, or empty.
std::string XArchiveOwner(std::string_view manifest);

// Records by part: "post" (tweets*.js, tweet.js, community-tweet*.js), "note" (note-tweet*.js: the whole text of a long
// post, under a number of its own), "like" (like.js), "header" (tweet-headers.js: numbers and times). A private part is
// one reject, even when it is named.
const Format& XArchiveFormat();

}  // namespace rhodes

#endif  // RHODES_SOURCE_X_ARCHIVE_H_
