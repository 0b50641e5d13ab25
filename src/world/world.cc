#include "world/world.h"

#include <fmt/format.h>

#include "base/file.h"
#include "world/clock.h"
#include "world/dishes.h"
#include "world/news.h"
#include "world/posts.h"
#include "world/sky.h"
#include "world/vehicles.h"

namespace rhodes {
namespace {

absl::Status CheckSettings(const WorldSettings& settings) {
  if (settings.dishes < 4 || settings.dishes > 200'000) {
    return UsageError(fmt::format("world: size is {}; it must be 4 to 200000", settings.dishes));
  }
  if (settings.hours < 6 || settings.hours > 8'760) {
    return UsageError(fmt::format("world: hours is {}; it must be 6 to 8760", settings.hours));
  }
  if (!(settings.noise >= 0 && settings.noise <= 16)) {
    return UsageError(fmt::format("world: noise is {}; it must be 0 to 16", settings.noise));
  }
  if (PathExists(settings.directory)) {
    ASSIGN_OR_RETURN(const std::vector<std::string> files, ListFiles(settings.directory));
    if (!files.empty()) {
      return UsageError(
          fmt::format("world: {} is not empty; name another directory, or remove it", settings.directory));
    }
  }
  return absl::OkStatus();
}

// The gazetteer, which everyone knows: towns with their names, charging stations, roads.
absl::Status WritePlaces(const std::string& directory, const WorldMap& map, Truth& truth, WorldReport& report) {
  ASSIGN_OR_RETURN(auto file, WorldFile::Create(directory + "/places/places.csv"));
  file->Write("name,kind,arabic,latitude,longitude,population,from,to\n");
  const auto row = [&](const std::string& name, const char* kind, const std::string& arabic, WorldPoint at,
                       const std::string& population, const std::string& from, const std::string& to) {
    file->Write(fmt::format("{},{},{},{:.5f},{:.5f},{},{},{}\n", name, kind, arabic, at.latitude, at.longitude,
                            population, from, to));
    truth.Emit("places", "place:" + name);
  };
  for (const WorldTown& town : map.towns()) {
    row(town.name, "town", town.arabic, town.centre, std::to_string(town.population), "", "");
    row("Charging station " + town.name, "station", "محطة شحن " + town.arabic, town.station, "", town.name, "");
  }
  for (size_t i = 0; i < map.roads().size(); ++i) {
    const WorldRoad& road = map.roads()[i];
    row(road.name, "road", road.arabic, map.Along(static_cast<int>(i), 0.5), "", map.town(road.from).name,
        map.town(road.to).name);
  }
  RETURN_IF_ERROR(file->Close());
  report.bytes += file->bytes();
  return absl::OkStatus();
}

}  // namespace

Json ToJson(const WorldReport& report) {
  Json sources = Json::object();
  for (const auto& [name, counts] : report.sources) {
    sources[name] = {{"unique", counts.unique},
                     {"duplicates", counts.duplicates},
                     {"corrupted", counts.corrupted},
                     {"taken_back", counts.taken_back}};
  }
  return {{"events", report.events}, {"witnesses", report.witnesses}, {"bytes", report.bytes}, {"sources", sources}};
}

absl::StatusOr<WorldReport> MakeWorld(const WorldSettings& settings, RunContext& context) {
  RETURN_IF_ERROR(CheckSettings(settings));
  ASSIGN_OR_RETURN(StagedDirectory staged, StagedDirectory::Open(settings.directory));
  WorldSettings inside = settings;
  inside.directory = staged.path();

  const WorldMap map(settings.seed, settings.dishes);
  EventPlan plan(settings.seed, map, kWorldStart, kWorldStart + settings.hours * kWorldHour);
  Sky sky(settings.seed, settings.hours);
  RETURN_IF_ERROR(sky.Assign(map, plan));

  WorldReport report;
  Truth truth(inside.directory, plan);
  RETURN_IF_ERROR(WritePlaces(inside.directory, map, truth, report));
  RETURN_IF_ERROR(sky.Write(inside.directory, map, plan, settings.noise, settings.seed, truth, report));
  RETURN_IF_ERROR(WriteDishes(inside, map, plan, truth, report, context));
  RETURN_IF_ERROR(WriteVehicles(inside, map, plan, truth, report, context));
  RETURN_IF_ERROR(WritePosts(inside, map, plan, truth, report, context));
  RETURN_IF_ERROR(WriteNews(inside, map, plan, truth, report, context));
  RETURN_IF_ERROR(truth.Finish(settings, map, report));
  RETURN_IF_ERROR(staged.Commit());
  return report;
}

}  // namespace rhodes
