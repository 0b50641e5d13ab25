// The dishes: each answers its poller, and its answers show what happened to it.
#ifndef RHODES_WORLD_DISHES_H_
#define RHODES_WORLD_DISHES_H_

#include "base/run_context.h"
#include "world/events.h"
#include "world/map.h"
#include "world/truth.h"
#include "world/world.h"

namespace rhodes {

// Writes dishes/ID.log for each dish: a line an answer, as pollers log them ("req: ... | res: ... | data: {...}"),
// status every five minutes, history every fifteen, the dish's place once a day. Outages count GPS nanoseconds; the
// poller's clock is off by a constant of its own.
absl::Status WriteDishes(const WorldSettings& settings, const WorldMap& map, const EventPlan& plan, Truth& truth,
                         WorldReport& report, RunContext& context);

}  // namespace rhodes

#endif  // RHODES_WORLD_DISHES_H_
