// Time and place in a view's SQL: scalar functions, and macros that make the usual joins one line (docs/fusion.md).
#ifndef RHODES_FUSE_FUNCTIONS_H_
#define RHODES_FUSE_FUNCTIONS_H_

#include "base/status.h"
#include "table/database.h"

namespace rhodes {

// Adds all of them to the connection of `database`, the macros as temporary ones. Before Database::ConfineTo().
absl::Status RegisterFuseFunctions(Database& database);

// The scalar functions alone. A NULL argument gives NULL, and so does what is no place (fuse/place.h), no positive
// number of metres, a negative window or a time at infinity. They run on DuckDB's threads.
//   distance_m(latitude1, longitude1, latitude2, longitude2) -> DOUBLE, metres
//   near_cell(time BIGINT, latitude, longitude, metres, window BIGINT) -> UBIGINT      PlaceGrid::Cell()
//   near_cells(time BIGINT, latitude, longitude, metres, window BIGINT) -> UBIGINT[]   PlaceGrid::NearCells()
//   cluster_events(times BIGINT[], latitudes DOUBLE[], longitudes DOUBLE[], metres, window BIGINT) -> BIGINT[]
//                                                                                      ClusterEvents()
//   poisson_surprise(count BIGINT, expected DOUBLE) -> DOUBLE                          PoissonSurprise()
// Times and windows are in microseconds.
absl::Status RegisterPlaceFunctions(Database& database);
absl::Status RegisterStreamFunctions(Database& database);
// The SQL macros, which call them.
absl::Status CreateFuseMacros(Database& database);

}  // namespace rhodes

#endif  // RHODES_FUSE_FUNCTIONS_H_
