// Where a satellite stands in the sky of a place.
#ifndef RHODES_WORLD_LOOK_H_
#define RHODES_WORLD_LOOK_H_

#include <cstdint>

#include "world/map.h"
#include "world/sky.h"

namespace rhodes {

// Degrees above the horizon of `place` at `time`; below -90 never.
double ElevationDegrees(const WorldElements& elements, WorldPoint place, int64_t time);

}  // namespace rhodes

#endif  // RHODES_WORLD_LOOK_H_
