// Two-line element sets, with a line for the name before them (3LE) or without.
#ifndef RHODES_SOURCE_TLE_H_
#define RHODES_SOURCE_TLE_H_

#include "source/format.h"

namespace rhodes {

// Record: the two or three lines of one satellite, kind element-set; names, units and ranges are those of OMM
// (source/orbit.h). Both lines are checked: 69 columns, blanks where the columns part, the checksum (digits, and 1 for
// each minus, modulo 10), one catalogue number in both. Blank lines, and lines that begin with '#', are no records.
const Format& TleFormat();

}  // namespace rhodes

#endif  // RHODES_SOURCE_TLE_H_
