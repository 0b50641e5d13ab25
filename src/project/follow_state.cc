#include "project/follow_state.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <memory>

#include "base/file.h"
#include "base/hash.h"
#include "base/manifest.h"
#include "project/out_tables.h"
#include "table/database.h"

namespace rhodes {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "RHODESID";
constexpr int kFormat = 1;

std::string StatePath(const std::string& out) { return FollowDirectory(out) + "/state.json"; }

std::string SettingsKey(const ProjectFile& project) {
  return ContentId(
      {DumpJson(project.train.config.ToJson()), std::to_string(project.tokenize.vocabulary_size),
       project.tokenize.pattern + (project.tokenize.weights.none() ? "" : DumpJson(ToJson(project.tokenize.weights))),
       project.tokenize.tokenizer});
}

std::string_view Bytes(const DocumentIds& ids) {
  return {reinterpret_cast<const char*>(ids.data()), ids.size() * sizeof(IdKey)};
}

// A second name for a file; a copy where the file system has none.
absl::Status LinkFile(const std::string& from, const std::string& to) {
  std::error_code error;
  fs::create_hard_link(from, to, error);
  if (!error) return absl::OkStatus();
  fs::copy_file(from, to, fs::copy_options::overwrite_existing, error);
  if (error) return absl::UnavailableError(fmt::format("{}: cannot be copied: {}", from, error.message()));
  return absl::OkStatus();
}

absl::Status ReplaceDirectory(const std::string& from, const std::string& to) {
  const std::string replaced = to + ".replaced";
  RETURN_IF_ERROR(RemoveTree(replaced));
  if (PathExists(to)) RETURN_IF_ERROR(Rename(to, replaced));
  RETURN_IF_ERROR(Rename(from, to));
  return RemoveTree(replaced);
}

}  // namespace

absl::StatusOr<std::vector<IdKey>> ReadDocumentIds(const std::string& corpus) {
  std::vector<std::string> parts;
  ASSIGN_OR_RETURN(const std::vector<std::string> files, ListFiles(corpus));
  for (const std::string& file : files) {
    const std::string_view name = std::string_view(file).substr(file.rfind('/') + 1);
    if (name.starts_with("part-") && name.ends_with(".parquet")) parts.push_back(file);
  }
  std::vector<IdKey> ids;
  ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, Database::Open({}));
  for (const std::string& part : parts) {
    RETURN_IF_ERROR(Annotate(ForEachString(*database, fmt::format("SELECT id FROM read_parquet({})", SqlLiteral(part)),
                                           [&](std::string_view id) { ids.push_back(KeyOfId(id)); }),
                             part));
  }
  return ids;
}

absl::StatusOr<DocumentIds> LoadIds(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
  const size_t frame = kMagic.size() + sizeof(uint64_t);
  if (bytes.size() < frame || !bytes.starts_with(kMagic) || (bytes.size() - frame) % sizeof(IdKey) != 0) {
    return absl::DataLossError(fmt::format("{}: not a list of ids", path));
  }
  const std::string_view body(bytes.data() + kMagic.size(), bytes.size() - frame);
  uint64_t sum;
  std::memcpy(&sum, bytes.data() + bytes.size() - sizeof(sum), sizeof(sum));
  if (sum != Fingerprint(body)) return absl::DataLossError(fmt::format("{}: its checksum does not agree", path));
  DocumentIds ids(body.size() / sizeof(IdKey));
  if (!ids.empty()) std::memcpy(ids.data(), body.data(), body.size());
  return ids;
}

absl::Status SaveIds(const std::string& path, std::vector<IdKey> ids) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  const uint64_t sum = Fingerprint(Bytes(ids));
  std::string bytes(kMagic);
  bytes += Bytes(ids);
  bytes.append(reinterpret_cast<const char*>(&sum), sizeof(sum));
  return WriteFileAtomically(path, bytes);
}

std::vector<uint64_t> SelectDocuments(const ShardSet& shards, const std::vector<IdKey>& ids_of_rows,
                                      const std::function<bool(IdKey)>& wanted) {
  std::vector<uint64_t> documents;
  for (uint64_t d = 0; d < shards.document_count(); ++d) {
    const uint64_t row = shards.CorpusRow(d);
    if (row < ids_of_rows.size() && wanted(ids_of_rows[row])) documents.push_back(d);
  }
  return documents;
}

absl::StatusOr<FollowState> ReadFollowState(const ProjectFile& project) {
  const std::string path = StatePath(project.out);
  if (!PathExists(path)) return absl::NotFoundError(path + ": nothing was followed yet");
  ASSIGN_OR_RETURN(const Json json, ReadJsonFile(path));
  FollowState state;
  state.cycles = json.value("cycles", int64_t{-1});
  state.updates = json.value("updates", int64_t{-1});
  state.settings = json.value("settings", "");
  if (json.value("format", 0) != kFormat || state.cycles < 0 || state.updates < 0) {
    return absl::DataLossError(fmt::format("{}: not a state of following that this version knows", path));
  }
  if (state.settings != SettingsKey(project)) {
    return UsageError(fmt::format(
        "{}: the model's shape, [tokenize] or its tokenizer have changed since the model in {} was made, and a model "
        "cannot change them: put them back, or remove {} and run without --follow to train a new one on all that is "
        "stored",
        project.path, project.out, FollowDirectory(project.out)));
  }
  return state;
}

Json ToJson(const FollowState& state) {
  return {{"format", kFormat}, {"cycles", state.cycles}, {"updates", state.updates}, {"settings", state.settings}};
}

absl::Status BeginFollowing(const ProjectFile& project) {
  const std::string& out = project.out;
  const std::string directory = FollowDirectory(out);
  RETURN_IF_ERROR(RemoveTree(directory + "/first-model"));
  RETURN_IF_ERROR(CreateDirectories(directory + "/first-model"));
  for (const char* file : {"config.json", "model.safetensors", "manifest.json"}) {
    RETURN_IF_ERROR(LinkFile(fmt::format("{}/model/{}", out, file), fmt::format("{}/first-model/{}", directory, file)));
  }
  ASSIGN_OR_RETURN(const std::vector<IdKey> ids, ReadDocumentIds(out + "/corpus"));
  std::vector<IdKey> validation;
  const absl::StatusOr<std::unique_ptr<ShardSet>> shards = ShardSet::Open(out + "/shards", "validation");
  if (!shards.ok() && !absl::IsNotFound(shards.status())) return shards.status();
  if (shards.ok()) {
    for (const uint64_t d : SelectDocuments(**shards, ids, [](IdKey) { return true; })) {
      validation.push_back(ids[(*shards)->CorpusRow(d)]);
    }
  }
  RETURN_IF_ERROR(SaveIds(directory + "/first-validation.bin", std::move(validation)));
  RETURN_IF_ERROR(SaveIds(directory + "/seen.bin", ids));
  ASSIGN_OR_RETURN(const Manifest manifest, ReadManifest(out + "/model"));
  FollowState state;
  state.updates = manifest.counts.value("steps", int64_t{0});
  state.settings = SettingsKey(project);
  return WriteFileAtomically(StatePath(out), DumpJson(ToJson(state), 2) + "\n");  // last: with it, all is there
}

absl::Status ExchangeNext(const std::string& out, const std::vector<std::pair<std::string, std::string>>& moves) {
  Json list = Json::array();
  for (const auto& [from, to] : moves) list.push_back({from, to});
  RETURN_IF_ERROR(WriteFileAtomically(NextDirectory(out) + "/ready.json", DumpJson(Json{{"moves", list}}, 2) + "\n"));
  return FinishExchange(out);
}

absl::Status FinishExchange(const std::string& out) {
  const std::string next = NextDirectory(out);
  if (!PathExists(next + "/ready.json")) return absl::OkStatus();
  ASSIGN_OR_RETURN(const Json ready, ReadJsonFile(next + "/ready.json"));
  for (const Json& move : ready.value("moves", Json::array())) {
    if (!move.is_array() || move.size() != 2 || !move[0].is_string() || !move[1].is_string()) {
      return absl::DataLossError(next + "/ready.json: not a list of moves");
    }
    const std::string from = next + "/" + move[0].get<std::string>();
    const std::string to = out + "/" + move[1].get<std::string>();
    if (!PathExists(from)) {  // done before, but perhaps for its last step
      RETURN_IF_ERROR(RemoveTree(to + ".replaced"));
      continue;
    }
    RETURN_IF_ERROR(fs::is_directory(from) ? ReplaceDirectory(from, to) : Rename(from, to));
  }
  RETURN_IF_ERROR(SyncPath(out));
  return RemoveTree(next);
}

}  // namespace rhodes
