// Looking records up: sources, parts, views, origins of ids.
#include <algorithm>
#include <filesystem>
#include <mutex>

#include "absl/container/flat_hash_map.h"
#include "base/file.h"
#include "base/manifest.h"
#include "store/record_store.h"
#include "store/views.h"
#include "table/database.h"

namespace rhodes {
namespace {

std::string PathList(const std::vector<std::string>& paths) {
  std::string list;
  for (const std::string& path : paths) list += (list.empty() ? "" : ", ") + SqlLiteral(path);
  return "[" + list + "]";
}

absl::Status CreateView(Database& database, const std::string& name, const std::vector<std::string>& parts) {
  return database.Execute(
      fmt::format("CREATE VIEW {} AS SELECT * FROM read_parquet({})", SqlIdentifier(name), PathList(parts)));
}

class Lookup final : public RecordLookup {
 public:
  explicit Lookup(std::unique_ptr<Database> database) : database_(std::move(database)) {}

  absl::StatusOr<std::vector<RecordOrigin>> Find(const std::vector<std::string>& ids) override {
    std::vector<RecordOrigin> found;
    if (ids.empty()) return found;
    std::string list;
    for (const std::string& id : ids) list += (list.empty() ? "" : ", ") + SqlLiteral(id);
    absl::flat_hash_map<std::string, RecordOrigin> by_id;
    {
      const std::scoped_lock lock(mutex_);
      ASSIGN_OR_RETURN(QueryResult result,
                       database_->Query(fmt::format("SELECT id, source, kind, file, \"begin\", \"end\" FROM records "
                                                    "WHERE id IN ({})",
                                                    list)));
      while (true) {
        ASSIGN_OR_RETURN(const bool more, result.Next());
        if (!more) break;
        for (size_t row = 0; row < result.row_count(); ++row) {
          const std::string id(result.String(0, row));
          by_id[id] = {id,
                       std::string(result.String(1, row)),
                       result.IsNull(2, row) ? "" : std::string(result.String(2, row)),
                       {std::string(result.String(3, row)), result.UInt64(4, row), result.UInt64(5, row)}};
        }
      }
    }
    for (const std::string& id : ids) {
      if (const auto it = by_id.find(id); it != by_id.end()) found.push_back(it->second);
    }
    return found;
  }

  absl::StatusOr<std::string> Original(const std::string& id) override {
    const std::scoped_lock lock(mutex_);
    ASSIGN_OR_RETURN(
        QueryResult result,
        database_->Query("SELECT coalesce(original, encode(coalesce(text, ''))) FROM records WHERE id = ?", {id}));
    ASSIGN_OR_RETURN(const bool any, result.Next());
    if (!any) return absl::NotFoundError(fmt::format("record {}: there is none with this id", id));
    return std::string(result.String(0, 0));
  }

 private:
  std::mutex mutex_;
  std::unique_ptr<Database> database_;
};

}  // namespace

absl::StatusOr<std::vector<std::string>> ListSources(const std::string& out) {
  std::vector<std::string> sources;
  std::error_code error;
  for (std::filesystem::directory_iterator it(out + "/records", error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name.ends_with(".partial") || name.ends_with(".replaced")) continue;
    if (PathExists(it->path().string() + "/manifest.json")) sources.push_back(name);
  }
  std::sort(sources.begin(), sources.end());
  return sources;
}

absl::StatusOr<std::vector<std::string>> ListParts(const std::string& out, const std::string& source) {
  const std::string directory =
      std::filesystem::absolute(fmt::format("{}/records/{}", out, source)).lexically_normal().string();
  ASSIGN_OR_RETURN(const Manifest manifest, ReadManifest(directory));
  std::vector<std::string> parts;
  for (const Json& part : manifest.counts.value("parts", Json::array())) {
    parts.push_back(directory + "/" + part.value("file", ""));
  }
  return parts;
}

absl::Status CreateViews(Database& database, const std::string& out) {
  ASSIGN_OR_RETURN(const std::vector<std::string> sources, ListSources(out));
  std::vector<std::string> all;
  for (const std::string& source : sources) {
    ASSIGN_OR_RETURN(const std::vector<std::string> parts, ListParts(out, source));
    all.insert(all.end(), parts.begin(), parts.end());
  }
  if (all.empty()) {
    return absl::NotFoundError(
        fmt::format("{} holds no records: fill it with `rhodes ingest PATH --name NAME --out {}`", out, out));
  }
  RETURN_IF_ERROR(CreateView(database, "records", all));
  for (const std::string& source : sources) {
    ASSIGN_OR_RETURN(const std::vector<std::string> parts, ListParts(out, source));
    if (!parts.empty()) {
      RETURN_IF_ERROR(CreateView(database, source, parts));
    } else {
      RETURN_IF_ERROR(
          database.Execute(fmt::format("CREATE VIEW {} AS SELECT * FROM records WHERE false", SqlIdentifier(source))));
    }
  }
  for (const char* table : {"documents", "corpus", "dropped"}) {
    std::vector<std::string> parts;
    if (absl::StatusOr<std::vector<std::string>> files = ListFiles(fmt::format("{}/{}", out, table)); files.ok()) {
      std::copy_if(files->begin(), files->end(), std::back_inserter(parts),
                   [](const std::string& file) { return file.ends_with(".parquet"); });
    }
    const bool is_source = std::find(sources.begin(), sources.end(), table) != sources.end();
    if (!parts.empty() && !is_source) RETURN_IF_ERROR(CreateView(database, table, parts));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<RecordLookup>> RecordLookup::Open(const std::string& out) {
  Database::Options options;
  options.threads = 2;
  ASSIGN_OR_RETURN(std::unique_ptr<Database> database, Database::Open(options));
  RETURN_IF_ERROR(CreateViews(*database, out));
  return std::make_unique<Lookup>(std::move(database));
}

}  // namespace rhodes
