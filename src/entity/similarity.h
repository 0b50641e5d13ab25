// How alike two values are, from 0 to 1.
#ifndef RHODES_ENTITY_SIMILARITY_H_
#define RHODES_ENTITY_SIMILARITY_H_

#include <string_view>
#include <utility>

namespace rhodes {

// Jaro's similarity with Winkler's bonus of 0.1 for each of up to four equal letters at the beginning, given whatever
// the similarity (Winkler 1990). Bytes are letters. Two empty strings: 1.
double JaroWinkler(std::string_view a, std::string_view b);

// 1 - |a - b| / max(|a|, |b|), at least 0: 1 when equal, 0.5 when one is half the other.
double NumberCloseness(double a, double b);

// Metres between two places (latitude, longitude in degrees) on a sphere of the radius 6,371,008.8 m (IUGG mean), by
// the haversine formula: within 0.6 % of the ellipsoid's.
double MetresBetween(std::pair<double, double> a, std::pair<double, double> b);

// Part numbers: 1 when equal, else the length of their common beginning over the longer one's, or of the shorter when
// it ends the longer ("w150r" in "dscw150r"); less than 0.6 counts as 0.
double CodeCloseness(std::string_view a, std::string_view b);

}  // namespace rhodes

#endif  // RHODES_ENTITY_SIMILARITY_H_
