// Satellites as SQL functions: over the element sets among the records (formats tle and omm), and over two lines.
#ifndef RHODES_FUSE_ORBIT_FUNCTIONS_H_
#define RHODES_FUSE_ORBIT_FUNCTIONS_H_

#include "base/status.h"
#include "table/database.h"

namespace rhodes {

// Adds, with times as TIMESTAMP (UTC), degrees, metres of altitude above WGS84 and kilometres of range
// (docs/orbits.md):
//   satellites_above(time, latitude, longitude, altitude, minimum_elevation)
//       -> STRUCT(satellite, name, record VARCHAR, azimuth, elevation, range DOUBLE)[], the highest first
//   satellite_look(satellite, time, latitude, longitude, altitude) -> STRUCT(azimuth, elevation, range, record)
//   satellite_place(satellite, time) -> STRUCT(latitude, longitude, altitude DOUBLE, record VARCHAR)
//   sgp4(line1, line2, time) -> STRUCT(x, y, z, vx, vy, vz DOUBLE, error INTEGER): km and km/s, TEME; NULL members on
//   an
//       error, which is OrbitError's number, or -1 for lines that are no elements
// The first three look satellites up in the view `records`, read here, once; a satellite is named by its catalogue
// number, as in the records' `author`. A NULL argument gives NULL, and so does a satellite that is not there or has no
// place at that time. They run on DuckDB's threads.
//
// Memory: about 900 bytes an element set, and 100 bytes a satellite and thread.
absl::Status RegisterOrbitFunctions(Database& database);

}  // namespace rhodes

#endif  // RHODES_FUSE_ORBIT_FUNCTIONS_H_
