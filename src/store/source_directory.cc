#include "store/source_directory.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "base/file.h"
#include "base/text.h"
#include "store/record_store.h"

namespace rhodes {
namespace {

constexpr std::string_view kPartial = ".partial";
constexpr std::string_view kReplaced = ".replaced";

std::string RecordsDirectory(const std::string& out) { return out + "/records"; }

absl::Status TruncateLog(const std::string& path, uint64_t bytes) {
  if (!PathExists(path)) {
    if (bytes == 0) return absl::OkStatus();
    return absl::DataLossError(fmt::format("{} is gone, and the manifest lists {} bytes of it", path, bytes));
  }
  ASSIGN_OR_RETURN(const uint64_t size, FileSize(path));
  if (size < bytes) {
    return absl::DataLossError(fmt::format("{} holds {} bytes, and the manifest lists {}", path, size, bytes));
  }
  if (size > bytes && truncate(path.c_str(), static_cast<off_t>(bytes)) != 0)
    return ErrnoError(errno, "truncate", path);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SourceManifest> ReadSourceManifest(const std::string& directory) {
  const std::string path = directory + "/manifest.json";
  ASSIGN_OR_RETURN(const Json json, ReadJsonFile(path));
  SourceManifest result;
  ASSIGN_OR_RETURN(result.manifest, Manifest::FromJson(json, path));
  try {
    for (const Json& part : json.at("parts")) {
      result.parts.push_back({part.at("file").get<std::string>(), part.at("rows").get<uint64_t>(),
                              part.at("bytes").get<uint64_t>(), part.at("sha256").get<std::string>()});
    }
    result.duplicates_bytes = json.at("logs").at(kDuplicatesFile).get<uint64_t>();
    result.rejects_bytes = json.at("logs").at(kRejectsFile).get<uint64_t>();
    result.files_bytes = json.at("logs").value(kFilesFile, uint64_t{0});
  } catch (const Json::exception& error) {
    return absl::DataLossError(fmt::format("{}: {}", path, error.what()));
  }
  return result;
}

absl::Status WriteSourceManifest(const std::string& directory, const SourceManifest& manifest) {
  Json json = manifest.manifest.ToJson();
  json["parts"] = Json::array();
  for (const PartInfo& part : manifest.parts) {
    json["parts"].push_back({{"file", part.file}, {"rows", part.rows}, {"bytes", part.bytes}, {"sha256", part.sha256}});
  }
  json["logs"] = {{kDuplicatesFile, manifest.duplicates_bytes},
                  {kRejectsFile, manifest.rejects_bytes},
                  {kFilesFile, manifest.files_bytes}};
  return WriteFileAtomically(directory + "/manifest.json", DumpJson(json, 2) + "\n");
}

std::string SourceDirectory(const std::string& out, const std::string& source) {
  const std::string directory = RecordsDirectory(out) + "/" + source;
  const std::string replaced = directory + std::string(kReplaced);
  return !PathExists(directory) && PathExists(replaced) ? replaced : directory;
}

absl::Status CheckSourceName(const std::string& out, const std::string& source) {
  const std::string lower = LowerAscii(source);
  if (source.empty() || source[0] == '.' || source.find('/') != std::string::npos ||
      source.find('\0') != std::string::npos || !IsValidUtf8(source)) {
    return UsageError(fmt::format("source name \"{}\": it becomes the name of a directory; choose another", source));
  }
  if (lower.ends_with(kPartial) || lower.ends_with(kReplaced)) {
    return UsageError(fmt::format("source name \"{}\": names ending in {} and {} are used for unfinished work", source,
                                  kPartial, kReplaced));
  }
  for (const char* view : {"records", "documents", "corpus", "dropped", "entities", "entity_mentions", "entity_links",
                           "record_entities"}) {
    if (lower == view) {
      return UsageError(
          fmt::format("source name \"{}\": \"{}\" means something else in SQL; choose another name", source, view));
    }
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> others, ListSources(out));
  for (const std::string& other : others) {
    if (other != source && LowerAscii(other) == lower) {
      return UsageError(fmt::format(
          "source name \"{}\": there is a source \"{}\", and SQL does not tell upper from lower case", source, other));
    }
  }
  return absl::OkStatus();
}

absl::Status RemoveUncommitted(const std::string& directory, const SourceManifest& manifest) {
  ASSIGN_OR_RETURN(const std::vector<std::string> files, ListFiles(directory));
  for (const std::string& file : files) {
    const std::string name = file.substr(directory.size() + 1);
    const bool listed =
        name == "manifest.json" || name == kDuplicatesFile || name == kRejectsFile || name == kFilesFile ||
        std::any_of(manifest.parts.begin(), manifest.parts.end(), [&](const PartInfo& p) { return p.file == name; });
    if (!listed) RETURN_IF_ERROR(RemoveTree(file));
  }
  RETURN_IF_ERROR(TruncateLog(directory + "/" + kDuplicatesFile, manifest.duplicates_bytes));
  RETURN_IF_ERROR(TruncateLog(directory + "/" + kRejectsFile, manifest.rejects_bytes));
  return TruncateLog(directory + "/" + kFilesFile, manifest.files_bytes);
}

absl::StatusOr<SourceRights> ReadSourceRights(const std::string& out, const std::string& source) {
  ASSIGN_OR_RETURN(const SourceManifest manifest, ReadSourceManifest(SourceDirectory(out, source)));
  SourceRights result;
  result.source = source;
  const Json& extra = manifest.manifest.extra;
  result.stated = extra.contains("rights");
  if (result.stated) result.rights = RightsFromJson(extra["rights"]);
  for (const Json& reader : extra.value("readers", Json::array())) {
    if (reader.is_string()) result.readers.push_back(reader.get<std::string>());
  }
  return result;
}

absl::Status WriteSourceRights(const std::string& out, const std::string& source, const Rights& rights) {
  const std::string directory = SourceDirectory(out, source);
  ASSIGN_OR_RETURN(SourceManifest manifest, ReadSourceManifest(directory));
  if (manifest.manifest.extra.value("rights", Json()) == ToJson(rights)) return absl::OkStatus();
  manifest.manifest.extra["rights"] = ToJson(rights);
  return WriteSourceManifest(directory, manifest);
}

absl::StatusOr<std::vector<std::string>> ListSources(const std::string& out) {
  std::vector<std::string> sources;
  const std::string records = RecordsDirectory(out);
  if (!PathExists(records)) return sources;
  std::error_code error;
  for (std::filesystem::directory_iterator it(records, error), end; !error && it != end; it.increment(error)) {
    std::string name = it->path().filename().string();
    if (name.ends_with(kPartial)) continue;
    if (name.ends_with(kReplaced)) {
      name.resize(name.size() - kReplaced.size());
      if (PathExists(records + "/" + name)) continue;
    }
    if (PathExists(it->path().string() + "/manifest.json")) sources.push_back(name);
  }
  if (error) return ErrnoError(error.value(), "list", records);
  std::sort(sources.begin(), sources.end());
  return sources;
}

absl::StatusOr<std::vector<std::string>> ListParts(const std::string& out, const std::string& source) {
  const std::string directory = SourceDirectory(out, source);
  ASSIGN_OR_RETURN(const SourceManifest manifest, ReadSourceManifest(directory));
  std::vector<std::string> parts;
  std::error_code error;
  const std::string absolute = std::filesystem::absolute(directory, error).lexically_normal().string();
  if (error) return ErrnoError(error.value(), "resolve", directory);
  for (const PartInfo& part : manifest.parts) parts.push_back(absolute + "/" + part.file);
  return parts;
}

}  // namespace rhodes
