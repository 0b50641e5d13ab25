// What people write: of events as they live through them, of nothing in particular, and of what never happened.
#ifndef RHODES_WORLD_POST_PHRASES_H_
#define RHODES_WORLD_POST_PHRASES_H_

#include <string_view>
#include <vector>

#include "world/events.h"

namespace rhodes {

// Phrases for world/phrases.h with the slots $in ("in Port Amber", or nothing when the place is said otherwise), $road,
// $clock (a time of day), $tag (a hashtag, or nothing) and $minutes.
const std::vector<std::string_view>& EventPhrases(EventKind kind, bool arabic);
// After the end: it is over.
const std::vector<std::string_view>& OverPhrases(EventKind kind, bool arabic);
// "Here too."
const std::vector<std::string_view>& ReplyPhrases(bool arabic);
// Everyday life. Many use the words of events without any.
const std::vector<std::string_view>& ChatterPhrases(bool arabic);

}  // namespace rhodes

#endif  // RHODES_WORLD_POST_PHRASES_H_
