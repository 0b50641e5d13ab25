// The land: towns with names in two languages, roads between them, a charging station in each.
#ifndef RHODES_WORLD_MAP_H_
#define RHODES_WORLD_MAP_H_

#include <cstdint>
#include <string>
#include <vector>

namespace rhodes {

struct WorldPoint {
  double latitude = 0;   // degrees
  double longitude = 0;  // degrees
};

struct WorldTown {
  std::string name;
  std::string arabic;
  WorldPoint centre;
  WorldPoint station;  // the fast chargers, at the edge of the town
  int population = 0;
  std::vector<int> roads;
};

struct WorldRoad {
  std::string name;    // "Route 7"
  std::string arabic;  // "الطريق 7"
  int from = 0;        // towns
  int to = 0;
  double km = 0;
};

class WorldMap {
 public:
  // A town for every four dishes, at least three, on a disturbed grid of 40 km.
  WorldMap(uint64_t seed, int dishes);

  const std::vector<WorldTown>& towns() const { return towns_; }
  const std::vector<WorldRoad>& roads() const { return roads_; }
  const WorldTown& town(int index) const { return towns_[static_cast<size_t>(index)]; }
  const WorldRoad& road(int index) const { return roads_[static_cast<size_t>(index)]; }
  // The place `share` (0 to 1) of the way along a road.
  WorldPoint Along(int road, double share) const;
  // Kilometres over a plane that fits the sphere within 1 % at the distances between neighbouring towns.
  double Distance(WorldPoint a, WorldPoint b) const;
  // A place within about `km` of a point, by two numbers in [-1, 1].
  WorldPoint Near(WorldPoint centre, double east, double north, double km) const;
  // Towns within `km` of a town, itself included, by index.
  std::vector<int> TownsWithin(int town, double km) const;

 private:
  double KmPerLongitude(double latitude) const;
  std::vector<WorldTown> towns_;
  std::vector<WorldRoad> roads_;
  int columns_ = 1;
};

}  // namespace rhodes

#endif  // RHODES_WORLD_MAP_H_
