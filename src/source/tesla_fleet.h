// Tesla's Fleet API: answers to vehicle_data.
#ifndef RHODES_SOURCE_TESLA_FLEET_H_
#define RHODES_SOURCE_TESLA_FLEET_H_

#include "source/format.h"

namespace rhodes {

// A record an answer, kind "vehicle-data"; the author is the VIN. All numbers below the answer are channels under their
// path ("charge_state.battery_level"), all else fields; the time is the newest of the blocks' timestamps. Files: one
// answer over any number of lines, one a line, or an array of them; with "response" around it or without.
const Format& TeslaFleetFormat();

}  // namespace rhodes

#endif  // RHODES_SOURCE_TESLA_FLEET_H_
