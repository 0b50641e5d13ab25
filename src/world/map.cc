#include "world/map.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "world/rng.h"

namespace rhodes {
namespace {

struct Bilingual {
  const char* english;
  const char* arabic;
};

constexpr std::array<Bilingual, 12> kKinds = {{{"Port", "ميناء"},
                                               {"Fort", "حصن"},
                                               {"Wadi", "وادي"},
                                               {"Bir", "بئر"},
                                               {"Tell", "تل"},
                                               {"Ain", "عين"},
                                               {"Qasr", "قصر"},
                                               {"Ras", "رأس"},
                                               {"Jebel", "جبل"},
                                               {"Khan", "خان"},
                                               {"Rawdat", "روضة"},
                                               {"Marj", "مرج"}}};

constexpr std::array<Bilingual, 42> kStems = {
    {{"Amber", "العنبر"},    {"Zahra", "الزهراء"},   {"Nakhl", "النخل"},   {"Safir", "السفير"},   {"Lulu", "اللؤلؤ"},
     {"Rumman", "الرمان"},   {"Yasmin", "الياسمين"}, {"Sidra", "السدرة"},  {"Hilal", "الهلال"},   {"Najma", "النجمة"},
     {"Ghazal", "الغزال"},   {"Saqr", "الصقر"},      {"Rimal", "الرمال"},  {"Marjan", "المرجان"}, {"Zaytun", "الزيتون"},
     {"Fanar", "الفنار"},    {"Qamar", "القمر"},     {"Shams", "الشمس"},   {"Barq", "البرق"},     {"Nawras", "النورس"},
     {"Sahab", "السحاب"},    {"Tamr", "التمر"},      {"Kafur", "الكافور"}, {"Misk", "المسك"},     {"Anqa", "العنقاء"},
     {"Dalia", "الدالية"},   {"Firuz", "الفيروز"},   {"Yaqut", "الياقوت"}, {"Halab", "الحلاب"},   {"Waha", "الواحة"},
     {"Rihan", "الريحان"},   {"Asal", "العسل"},      {"Luban", "اللبان"},  {"Sumaq", "السماق"},   {"Hamam", "الحمام"},
     {"Khuzama", "الخزامى"}, {"Narjis", "النرجس"},   {"Jawhar", "الجوهر"}, {"Sawsan", "السوسن"},  {"Birkat", "البركة"},
     {"Zumurud", "الزمرد"},  {"Qirmiz", "القرمز"}}};

constexpr double kLatitudeStep = 0.36;   // 40 km
constexpr double kLongitudeStep = 0.42;  // 40 km at the latitude of the land
constexpr double kKmPerLatitude = 111.2;
constexpr double kMiddleLatitude = 24.0;
constexpr double kMiddleLongitude = 45.0;

}  // namespace

WorldMap::WorldMap(uint64_t seed, int dishes) {
  WorldRng rng(seed, "map");
  const int count = std::max(3, dishes / 4);
  while (columns_ * columns_ < count) ++columns_;
  const int rows = (count + columns_ - 1) / columns_;

  // Every pair of a kind and a stem is one name; the order of the pairs is drawn, and beyond their number towns have
  // districts of their own.
  std::vector<int> pairs(kKinds.size() * kStems.size());
  for (size_t i = 0; i < pairs.size(); ++i) pairs[i] = static_cast<int>(i);
  for (size_t i = pairs.size(); i > 1; --i) std::swap(pairs[i - 1], pairs[rng.Below(i)]);

  for (int i = 0; i < count; ++i) {
    const auto pair = static_cast<size_t>(pairs[static_cast<size_t>(i) % pairs.size()]);
    const int round = i / static_cast<int>(pairs.size());
    const Bilingual& kind = kKinds[pair % kKinds.size()];
    const Bilingual& stem = kStems[pair / kKinds.size()];
    WorldTown town;
    town.name = fmt::format("{} {}", kind.english, stem.english);
    town.arabic = fmt::format("{} {}", kind.arabic, stem.arabic);
    if (round > 0) {
      town.name += fmt::format(" {}", round + 1);
      town.arabic += fmt::format(" {}", round + 1);
    }
    const double row = i / columns_ - (rows - 1) / 2.0;
    const double column = i % columns_ - (columns_ - 1) / 2.0;
    town.centre.latitude = kMiddleLatitude + (row + rng.Uniform(-0.18, 0.18)) * kLatitudeStep;
    town.centre.longitude = kMiddleLongitude + (column + rng.Uniform(-0.18, 0.18)) * kLongitudeStep;
    town.station = Near(town.centre, rng.Uniform(-1, 1), rng.Uniform(-1, 1), 2.0);
    town.population = static_cast<int>(rng.Between(9, 240)) * 500;
    towns_.push_back(std::move(town));
  }

  for (int i = 0; i < count; ++i) {
    for (const int neighbour : {(i + 1) % columns_ == 0 ? count : i + 1, i + columns_}) {
      if (neighbour >= count) continue;
      WorldRoad road;
      const int number = static_cast<int>(roads_.size()) + 1;
      road.name = fmt::format("Route {}", number);
      road.arabic = fmt::format("الطريق {}", number);
      road.from = i;
      road.to = neighbour;
      road.km = Distance(towns_[static_cast<size_t>(i)].centre, towns_[static_cast<size_t>(neighbour)].centre);
      towns_[static_cast<size_t>(i)].roads.push_back(static_cast<int>(roads_.size()));
      towns_[static_cast<size_t>(neighbour)].roads.push_back(static_cast<int>(roads_.size()));
      roads_.push_back(std::move(road));
    }
  }
}

// The cosine of a latitude as a polynomial, so that it is the same on every machine.
double WorldMap::KmPerLongitude(double latitude) const {
  const double x = latitude * 0.017453292519943295;
  const double square = x * x;
  const double cosine = 1 - square / 2 * (1 - square / 12 * (1 - square / 30 * (1 - square / 56)));
  return kKmPerLatitude * std::max(0.05, cosine);
}

WorldPoint WorldMap::Along(int index, double share) const {
  const WorldPoint a = town(road(index).from).centre;
  const WorldPoint b = town(road(index).to).centre;
  return {a.latitude + (b.latitude - a.latitude) * share, a.longitude + (b.longitude - a.longitude) * share};
}

double WorldMap::Distance(WorldPoint a, WorldPoint b) const {
  const double north = (a.latitude - b.latitude) * kKmPerLatitude;
  const double east = (a.longitude - b.longitude) * KmPerLongitude((a.latitude + b.latitude) / 2);
  return std::sqrt(north * north + east * east);
}

WorldPoint WorldMap::Near(WorldPoint centre, double east, double north, double km) const {
  return {centre.latitude + north * km / kKmPerLatitude,
          centre.longitude + east * km / KmPerLongitude(centre.latitude)};
}

std::vector<int> WorldMap::TownsWithin(int centre, double km) const {
  const int reach = static_cast<int>(km / 26) + 1;  // of the grid
  const int row = centre / columns_;
  const int column = centre % columns_;
  std::vector<int> found;
  for (int r = std::max(0, row - reach); r <= row + reach; ++r) {
    for (int c = std::max(0, column - reach); c <= std::min(columns_ - 1, column + reach); ++c) {
      const int index = r * columns_ + c;
      if (index >= static_cast<int>(towns_.size())) continue;
      if (Distance(town(index).centre, town(centre).centre) <= km) found.push_back(index);
    }
  }
  return found;
}

}  // namespace rhodes
