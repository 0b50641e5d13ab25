// Places on the earth: distances along great circles, and a grid for finding what is near in place and time.
#ifndef RHODES_FUSE_PLACE_H_
#define RHODES_FUSE_PLACE_H_

#include <cstdint>
#include <vector>

namespace rhodes {

// The mean radius of the earth, (2a + b) / 3 of WGS84 (IUGG; Moritz 2000, "Geodetic Reference System 1980").
inline constexpr double kEarthRadiusMetres = 6371008.7714;

// Degrees. A latitude beyond 90, a longitude beyond 360 or what is not finite is no place.
bool IsPlace(double latitude, double longitude);

// Along the great circle of a sphere with the mean radius (haversine); within 0.56 % of the ellipsoid's geodesic. All
// four in degrees, and both places must be ones.
double DistanceMetres(double latitude1, double longitude1, double latitude2, double longitude2);

// Cuts place and time into cells, such that of two points at most `metres` and `window` apart, the cell of the one is
// always among the near cells of the other: also across the poles and the 180th meridian. The reverse does not hold,
// so what shares a cell is still to be measured.
//
// Bands of latitude at least two distances high, each cut into cells that are at least two distances wide at the
// band's narrow side; stretches of time two windows long. So a point away from the poles has at most two by two by two
// near cells. A cell is a hash: two cells may have the same number, which costs a comparison and no more.
//
// Thread-safe.
class PlaceGrid {
 public:
  // Positive metres; microseconds, not negative.
  PlaceGrid(double metres, int64_t window);

  // Of a place, and a time in microseconds that is at least one window from the ends of int64_t.
  uint64_t Cell(double latitude, double longitude, int64_t time) const;
  // Appends each near cell once.
  void NearCells(double latitude, double longitude, int64_t time, std::vector<uint64_t>& cells) const;

 private:
  int64_t BandOf(double phi) const;
  int64_t CellsOf(int64_t band) const;

  double angle_;  // of the distance, with a margin for rounding
  double sine_;
  int64_t window_;
  int64_t stretch_;
  int64_t bands_;
  double height_;
};

}  // namespace rhodes

#endif  // RHODES_FUSE_PLACE_H_
