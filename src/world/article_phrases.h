// What the news desk writes.
#ifndef RHODES_WORLD_ARTICLE_PHRASES_H_
#define RHODES_WORLD_ARTICLE_PHRASES_H_

#include <string_view>
#include <vector>

#include "world/events.h"

namespace rhodes {

// Phrases with the slots $place (the town, or the road and its towns), $weekday, $clock and $end (times of day),
// $minutes, $count (homes or people), $author, $cause.
struct ArticlePhrases {
  std::string_view headline;
  std::string_view lead;                     // what, where, when
  std::vector<std::string_view> paragraphs;  // two or three of them follow
  std::string_view cause;
};
const ArticlePhrases& EventArticle(EventKind kind, bool arabic);
// Of other things: each with a headline, a lead and paragraphs.
const std::vector<ArticlePhrases>& OtherArticles(bool arabic);

}  // namespace rhodes

#endif  // RHODES_WORLD_ARTICLE_PHRASES_H_
