// A satellite's mean elements, as catalogues publish them, and the two lines that carry them.
#ifndef RHODES_ORBIT_ELEMENTS_H_
#define RHODES_ORBIT_ELEMENTS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace rhodes {

// Mean elements in the sense of SGP4 (Brouwer's, with Kozai's mean motion), in the frame TEME of the epoch.
struct MeanElements {
  int64_t epoch = 0;               // microseconds since 1970-01-01T00:00:00Z
  double mean_motion = 0;          // revolutions a day
  double eccentricity = 0;         // [0, 1)
  double inclination = 0;          // degrees
  double right_ascension = 0;      // of the ascending node, degrees
  double argument_of_perigee = 0;  // degrees
  double mean_anomaly = 0;         // degrees
  double drag = 0;                 // B*, 1 / earth radii
};

// The elements that two lines of 69 columns state. INVALID_ARGUMENT naming the columns that are wrong. Checksums are
// looked at; a catalogue number that is not a number is not (it names the satellite and moves nothing).
absl::StatusOr<MeanElements> ParseTwoLines(std::string_view line1, std::string_view line2);

// The two lines, joined by a line break, with right checksums. `number` up to 99999, beyond it Alpha-5 up to 339999;
// `designator` is the international one ("19074B"), at most eight characters. Angles lose what is finer than 1e-4
// degrees, the mean motion what is finer than 1e-8 revolutions a day.
std::string WriteTwoLines(uint32_t number, std::string_view designator, const MeanElements& elements);

}  // namespace rhodes

#endif  // RHODES_ORBIT_ELEMENTS_H_
