// The news desk: articles in English and Arabic of what happened, hours later, and of other things.
#ifndef RHODES_WORLD_NEWS_H_
#define RHODES_WORLD_NEWS_H_

#include "base/run_context.h"
#include "world/events.h"
#include "world/map.h"
#include "world/truth.h"
#include "world/world.h"

namespace rhodes {

// Writes news/html/{en,ar}/N.html (pages with JSON-LD) and news/feeds/{en,ar}-HOURS.rss: what the feed held each six
// hours, so that items come again.
absl::Status WriteNews(const WorldSettings& settings, const WorldMap& map, const EventPlan& plan, Truth& truth,
                       WorldReport& report, RunContext& context);

}  // namespace rhodes

#endif  // RHODES_WORLD_NEWS_H_
