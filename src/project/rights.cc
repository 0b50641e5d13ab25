#include "project/rights.h"

#include <set>

#include "base/file.h"
#include "base/manifest.h"
#include "base/text.h"
#include "source/format.h"

namespace rhodes {
namespace {

// What the formats of `readers` say, the strictest first.
void ApplyDefaults(SourceRights& source) {
  for (const std::string& reader : source.readers) {
    const absl::StatusOr<const Format*> format = FindFormat(reader.substr(0, reader.find('/')));
    if (!format.ok()) continue;
    const Rights::Training training = ParseTraining((*format)->default_training()).value_or(Rights::Training::kUnknown);
    if (training != Rights::Training::kNotAllowed) continue;
    source.rights.training = training;
    source.rights.reason = (*format)->default_training_reason();
  }
}

}  // namespace

std::vector<SourceRights> StatedRights(const ProjectFile& project) {
  std::vector<SourceRights> result;
  for (const SourceSettings& source : project.sources) {
    result.push_back({source.name, source.rights, source.training_stated, {}});
  }
  return result;
}

absl::StatusOr<std::vector<SourceRights>> RecordedRights(const std::string& out,
                                                         const std::vector<std::string>& sources) {
  std::vector<SourceRights> result;
  for (const std::string& source : sources) {
    absl::StatusOr<SourceRights> rights = ReadSourceRights(out, source);
    if (absl::IsNotFound(rights.status())) continue;
    RETURN_IF_ERROR(rights.status());
    if (rights->rights.training == Rights::Training::kUnknown) ApplyDefaults(*rights);
    result.push_back(*std::move(rights));
  }
  return result;
}

absl::Status CheckTrainingRights(const std::vector<SourceRights>& rights, const std::string& override_reason) {
  if (!override_reason.empty()) return absl::OkStatus();
  std::string message;
  for (const SourceRights& source : rights) {
    if (source.rights.training == Rights::Training::kAllowed) continue;
    message += fmt::format("\n  {}: training is {}", source.source,
                           source.rights.training == Rights::Training::kNotAllowed ? "not allowed" : "not stated");
    if (!source.rights.reason.empty()) message += fmt::format(" ({})", source.rights.reason);
  }
  if (message.empty()) return absl::OkStatus();
  return UsageError(
      "train: the rights to these sources do not allow it:" + message +
      "\nstate them under [source.rights] with training = \"allowed\" and a licence or owner (without a project file: "
      "rhodes ingest with the same input and --name, and --training allowed --owner NAME; nothing is read twice); or "
      "give the reason why a model may be trained all the same as train.rights_override (rhodes train "
      "--rights-override REASON), which goes into its manifest; or stop before training with --until tokenize");
}

Json RightsForManifest(const std::vector<SourceRights>& rights, const std::string& override_reason) {
  Json list = Json::array();
  for (const SourceRights& source : rights) {
    Json entry = {{"source", source.source}};
    const Json stated = ToJson(source.rights);
    for (const auto& [name, value] : stated.items()) entry[name] = value;
    list.push_back(std::move(entry));
  }
  Json json = {{"rights", std::move(list)}};
  if (!override_reason.empty()) json["rights_override"] = override_reason;
  return json;
}

absl::StatusOr<Json> TrainingRights(const std::string& out, const std::vector<std::string>& sources,
                                    const std::string& override_reason) {
  ASSIGN_OR_RETURN(const std::vector<SourceRights> rights, RecordedRights(out, sources));
  RETURN_IF_ERROR(CheckTrainingRights(rights, override_reason));
  return RightsForManifest(rights, override_reason);
}

absl::StatusOr<std::vector<std::string>> SourcesOfShards(const std::string& shards) {
  std::set<std::string> names;
  const absl::StatusOr<Manifest> manifest = ReadManifest(shards);
  if (absl::IsNotFound(manifest.status())) return std::vector<std::string>();
  RETURN_IF_ERROR(manifest.status());
  const Json by_source = manifest->counts.value("by_source", Json::object());
  for (const auto& [joined, share] : by_source.items()) {
    for (const std::string_view name : Split(joined, '+')) {
      if (!name.empty()) names.emplace(name);
    }
  }
  return std::vector<std::string>(names.begin(), names.end());
}

}  // namespace rhodes
