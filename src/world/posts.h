// The people: who they are, and what they post when.
#ifndef RHODES_WORLD_POSTS_H_
#define RHODES_WORLD_POSTS_H_

#include "base/run_context.h"
#include "world/events.h"
#include "world/map.h"
#include "world/truth.h"
#include "world/world.h"

namespace rhodes {

// Writes x/v1-stream.jsonl and x/v2-stream.jsonl (half of the people each) in the order of delivery, with repeats and
// broken lines, and the deletions: in the stream (v1), and in x/v2-compliance.jsonl.
absl::Status WritePosts(const WorldSettings& settings, const WorldMap& map, const EventPlan& plan, Truth& truth,
                        WorldReport& report, RunContext& context);

}  // namespace rhodes

#endif  // RHODES_WORLD_POSTS_H_
