// The manifest that a stage writes beside its output: what it was made from, with which settings, and what came out.
#ifndef RHODES_BASE_MANIFEST_H_
#define RHODES_BASE_MANIFEST_H_

#include <string>

#include "base/json.h"

namespace rhodes {

// The program's version, as printed by `rhodes --version`.
std::string_view Version();

struct Manifest {
  std::string stage;   // "ingest", "fuse", ...
  std::string key;     // hash over inputs, settings and the stage's format version; the stage is up to date when equal
  Json settings;       // as used
  Json counts;         // in and out; must add up
  double seconds = 0;  // wall time; the only field that differs between two runs of the same work
  Json extra = Json::object();  // further members that a stage writes: "rights", "files"

  Json ToJson() const;
  static absl::StatusOr<Manifest> FromJson(const Json& json, const std::string& path);
};

// `directory`/manifest.json. NOT_FOUND when there is none.
absl::StatusOr<Manifest> ReadManifest(const std::string& directory);
absl::Status WriteManifest(const std::string& directory, const Manifest& manifest);

}  // namespace rhodes

#endif  // RHODES_BASE_MANIFEST_H_
