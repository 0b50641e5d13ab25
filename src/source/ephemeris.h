// Satellites' ephemerides as SpaceX gives them out (MEME_*.txt).
#ifndef RHODES_SOURCE_EPHEMERIS_H_
#define RHODES_SOURCE_EPHEMERIS_H_

#include "source/format.h"

namespace rhodes {

// Record: one state, kind ephemeris-state: the line of its time, place and velocity, and the three lines of its
// covariance behind it (none is allowed too). Lines before the first state that say how the file was made go into the
// fields of every record. Number and name of the satellite come from the file's name, as does the frame.
const Format& EphemerisFormat();

}  // namespace rhodes

#endif  // RHODES_SOURCE_EPHEMERIS_H_
