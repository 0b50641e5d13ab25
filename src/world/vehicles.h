// The vehicles: they drive, charge and wait, minute by minute, and report it.
#ifndef RHODES_WORLD_VEHICLES_H_
#define RHODES_WORLD_VEHICLES_H_

#include "base/run_context.h"
#include "world/events.h"
#include "world/map.h"
#include "world/truth.h"
#include "world/world.h"

namespace rhodes {

// Writes vehicles/tesla_V-NN.jsonl and vehicles/tesla_alerts-NN.jsonl (Fleet Telemetry's decoded records as Kafka hands
// them on, a partition for every 64 vehicles), and teslafi/VIN.csv for every sixth vehicle, which has no telemetry.
absl::Status WriteVehicles(const WorldSettings& settings, const WorldMap& map, const EventPlan& plan, Truth& truth,
                           WorldReport& report, RunContext& context);

}  // namespace rhodes

#endif  // RHODES_WORLD_VEHICLES_H_
