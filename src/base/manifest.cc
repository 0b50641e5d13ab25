#include "base/manifest.h"

#include "base/file.h"

namespace rhodes {

std::string_view Version() { return "0.1.0"; }

Json Manifest::ToJson() const {
  Json json = {{"stage", stage},       {"version", Version()}, {"key", key},
               {"settings", settings}, {"counts", counts},     {"seconds", seconds}};
  for (const auto& [name, value] : extra.items()) json[name] = value;
  return json;
}

absl::StatusOr<Manifest> Manifest::FromJson(const Json& json, const std::string& path) {
  if (!json.is_object() || !json.contains("key") || !json["key"].is_string()) {
    return absl::DataLossError(fmt::format("{}: not a manifest; remove it to run the stage again", path));
  }
  Manifest manifest;
  manifest.stage = json.value("stage", "");
  manifest.key = json["key"].get<std::string>();
  manifest.settings = json.value("settings", Json::object());
  manifest.counts = json.value("counts", Json::object());
  manifest.seconds = json.value("seconds", 0.0);
  for (const char* name : {"rights", "readers", "rights_override", "takedowns", "follow", "files", "dropped_files"}) {
    if (json.contains(name)) manifest.extra[name] = json[name];
  }
  return manifest;
}

absl::StatusOr<Manifest> ReadManifest(const std::string& directory) {
  const std::string path = directory + "/manifest.json";
  ASSIGN_OR_RETURN(const Json json, ReadJsonFile(path));
  return Manifest::FromJson(json, path);
}

absl::Status WriteManifest(const std::string& directory, const Manifest& manifest) {
  return WriteFileAtomically(directory + "/manifest.json", DumpJson(manifest.ToJson(), 2) + "\n");
}

}  // namespace rhodes
