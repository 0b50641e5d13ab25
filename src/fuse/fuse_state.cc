#include "fuse/fuse_state.h"

#include <algorithm>

#include "base/file.h"
#include "base/hash.h"
#include "base/manifest.h"
#include "table/part_list.h"

namespace rhodes {
namespace {

constexpr int kStateVersion = 1;

FuseState Parsed(const Json& json) {
  FuseState state;
  state.run = json.at("run").get<std::string>();
  state.files = json.at("files");
  state.unit_files = json.at("unit_files");
  for (const Json& one : json.at("views")) {
    FuseViewState& view = state.views.emplace_back();
    view.name = one.at("name").get<std::string>();
    view.first_row = one.at("first_row").get<uint64_t>();
    view.documents = one.at("documents").get<uint64_t>();
    for (const Json& unit : one.at("units")) {
      view.units.push_back({unit.at(0).get<std::string>(), unit.at(1).get<uint64_t>(), unit.at(2).get<uint64_t>(),
                            unit.at(3).get<uint64_t>()});
    }
  }
  for (const auto& [part, times] : json.at("times").items()) state.times[part] = PartTimes::FromJson(times);
  return state;
}

bool AreWhole(const std::string& directory, const Json& files) {
  const absl::StatusOr<std::vector<PartInfo>> parts = PartsFromJson(files, directory);
  return parts.ok() && std::all_of(parts->begin(), parts->end(), [&](const PartInfo& part) {
           const absl::StatusOr<std::string> hash = Sha256OfFile(fmt::format("{}/{}", directory, part.file));
           return hash.ok() && *hash == part.sha256;
         });
}

}  // namespace

const FuseViewState* FuseState::Find(const std::string& name) const {
  const auto found =
      std::find_if(views.begin(), views.end(), [&](const FuseViewState& view) { return view.name == name; });
  return found == views.end() ? nullptr : &*found;
}

std::string FuseStateDirectory(const std::string& out) { return out + "/.fuse-state"; }

FuseState ReadFuseState(const std::string& out) {
  const absl::StatusOr<Json> json = ReadJsonFile(FuseStateDirectory(out) + "/state.json");
  const absl::StatusOr<Manifest> manifest = ReadManifest(out + "/documents");
  if (!json.ok() || !manifest.ok() || !json->is_object() || json->value("version", 0) != kStateVersion) return {};
  try {
    FuseState state = Parsed(*json);
    if (!manifest->extra.contains("files") || manifest->extra["files"] != state.files) return {};
    if (!AreWhole(out + "/documents", state.files) || !AreWhole(FuseStateDirectory(out), state.unit_files)) return {};
    return state;
  } catch (const Json::exception&) {  // damaged: as if it were not there
    return {};
  }
}

absl::Status WriteFuseState(const std::string& directory, const FuseState& state) {
  Json views = Json::array();
  for (const FuseViewState& view : state.views) {
    Json units = Json::array();
    for (const FuseUnit& unit : view.units) units.push_back({unit.key, unit.rows, unit.empty, unit.suppressed});
    views.push_back({{"name", view.name},
                     {"first_row", view.first_row},
                     {"documents", view.documents},
                     {"units", std::move(units)}});
  }
  Json times = Json::object();
  for (const auto& [part, of] : state.times) times[part] = of.ToJson();
  return WriteFileAtomically(directory + "/state.json", DumpJson({{"version", kStateVersion},
                                                                  {"run", state.run},
                                                                  {"unit_files", state.unit_files},
                                                                  {"files", state.files},
                                                                  {"views", std::move(views)},
                                                                  {"times", std::move(times)}}) +
                                                            "\n");
}

absl::Status SpreadChange(Database& database, const std::string& out, const FuseViewState& view,
                          std::vector<bool>& clean) {
  if (view.documents == 0 || std::all_of(clean.begin(), clean.end(), [](bool one) { return one; })) {
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(QueryResult rows,
                   database.Query(fmt::format("SELECT units FROM (SELECT list(unit::VARCHAR ORDER BY unit) AS units "
                                              "FROM read_parquet({}) WHERE row >= {} AND "
                                              "row < {} GROUP BY row) WHERE len(units) > 1 GROUP BY units",
                                              SqlLiteral(FuseStateDirectory(out) + "/part-*.parquet"), view.first_row,
                                              view.first_row + view.documents)));
  std::vector<std::vector<size_t>> shared;
  while (true) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) break;
    for (size_t row = 0; row < rows.row_count(); ++row) {
      std::vector<size_t>& units = shared.emplace_back();
      for (const std::string_view unit : rows.StringList(0, row)) {
        const size_t number = std::stoull(std::string(unit));
        if (number >= clean.size())
          return absl::DataLossError("the state of the last run names a unit that it has not");
        units.push_back(number);
      }
    }
  }
  for (bool changed = true; changed;) {
    changed = false;
    for (const std::vector<size_t>& units : shared) {
      const bool all = std::all_of(units.begin(), units.end(), [&](size_t unit) { return clean[unit]; });
      for (const size_t unit : units) {
        if (all || !clean[unit]) continue;
        clean[unit] = false;
        changed = true;
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace rhodes
