#include "project/document_counts.h"

#include <algorithm>
#include <cstring>
#include <functional>

#include "base/file.h"
#include "base/manifest.h"
#include "store/membership.h"
#include "token/shard_lineage.h"

namespace rhodes {
namespace {

// A document that goes.
struct Going {
  std::string id;
  std::string language;
  std::string view;
  std::string rule;
  std::string reason;
  uint64_t bytes = 0;
  std::vector<std::string> sources;
};

absl::Status ForGoing(const DocumentFolder& folder, const std::vector<EditedRows>& rows,
                      const std::function<void(const Going&)>& take) {
  const bool dropped = folder.name == "dropped";
  for (size_t i = 0; i < folder.parts.size(); ++i) {
    if (!rows[i].any()) continue;
    ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, Database::Open({}));
    RETURN_IF_ERROR(RegisterRowSet(*database, "rhodes_removed", &rows[i].removed));
    ASSIGN_OR_RETURN(
        QueryResult result,
        database->Query(fmt::format(
            "SELECT id, coalesce(language, ''), coalesce(CASE WHEN json_valid(meta) THEN meta->>'$.view' END, ''), {}, "
            "strlen(text)::UBIGINT, sources FROM read_parquet({}, file_row_number = true) WHERE "
            "rhodes_removed(file_row_number)",
            dropped ? "coalesce(rule, ''), coalesce(reason, '')" : "'', ''",
            SqlLiteral(folder.directory + "/" + folder.parts[i]))));
    while (true) {
      ASSIGN_OR_RETURN(const bool more, result.Next());
      if (!more) break;
      for (size_t row = 0; row < result.row_count(); ++row) {
        Going going;
        going.id = result.String(0, row);
        going.language = result.String(1, row);
        going.view = result.String(2, row);
        going.rule = result.String(3, row);
        going.reason = result.String(4, row);
        going.reason = going.reason.substr(0, going.reason.find(": "));  // without its detail
        going.bytes = result.UInt64(5, row);
        for (const std::string_view source : result.StringList(6, row)) going.sources.emplace_back(source);
        if (going.sources.empty()) going.sources.emplace_back();
        take(going);
      }
    }
  }
  return absl::OkStatus();
}

void Subtract(Json& counts, const std::string& name, uint64_t less) {
  if (!counts.is_object() || !counts.contains(name) || !counts[name].is_number()) return;
  const auto before = counts[name].get<uint64_t>();
  counts[name] = before - std::min(before, less);
}

// Subtract(), and nothing is left of a name that counts nothing.
void SubtractName(Json& counts, const std::string& name, uint64_t less) {
  Subtract(counts, name, less);
  if (counts.is_object() && counts.contains(name) && counts[name] == 0) counts.erase(name);
}

Json& Member(Json& json, const char* name) {
  if (!json.contains(name) || !json[name].is_object()) json[name] = Json::object();
  return json[name];
}

const DocumentFolder* FindFolder(const std::vector<DocumentFolder>& folders, std::string_view name) {
  const auto it =
      std::find_if(folders.begin(), folders.end(), [&](const DocumentFolder& folder) { return folder.name == name; });
  return it == folders.end() ? nullptr : &*it;
}

class Counter {
 public:
  Counter(const std::vector<DocumentFolder>& folders, const std::map<std::string, std::vector<EditedRows>>& rows)
      : folders_(folders), rows_(rows) {}

  absl::Status Fused(const std::string& name, Json& counts) const {
    return ForEach(name, [&](const Going& going) {
      Subtract(counts, "documents", 1);
      Subtract(counts, "text_bytes", going.bytes);
      if (!counts.contains("views")) return;
      for (Json& view : counts["views"]) {
        if (view.value("name", "") != going.view) continue;
        Subtract(view, "documents", 1);
        view["erased"] = view.value("erased", uint64_t{0}) + 1;  // rows = documents + empty + duplicates + erased
      }
    });
  }

  absl::Status Curated(const std::string& name, Json& counts) const {
    std::map<std::string, uint64_t> came;  // bytes of the texts as they came
    RETURN_IF_ERROR(ForEach("documents", [&](const Going& going) { came[going.id] = going.bytes; }));
    const auto subtract = [&](const Going& going, bool kept) {
      const auto it = came.find(going.id);
      const uint64_t bytes = it == came.end() ? going.bytes : it->second;
      Subtract(counts, "documents", 1);
      Subtract(counts, kept ? "kept" : "dropped", 1);
      Subtract(counts, "text_bytes", bytes);
      if (kept) Subtract(counts, "kept_text_bytes", going.bytes);
      for (const std::string& source : going.sources) {
        Json& sources = Member(counts, "sources");
        if (!sources.contains(source)) continue;
        Json& share = sources[source];
        Subtract(share, "documents", 1);
        Subtract(share, kept ? "kept" : "dropped", 1);
        Subtract(share, "text_bytes", bytes);
        if (kept) Subtract(share, "kept_text_bytes", going.bytes);
        if (share.value("documents", uint64_t{0}) == 0) sources.erase(source);
      }
    };
    RETURN_IF_ERROR(ForEach(name, [&](const Going& going) {
      subtract(going, true);
      SubtractName(Member(counts, "languages"), going.language, 1);
    }));
    return ForEach("dropped", [&](const Going& going) {
      subtract(going, false);
      Json& reasons = Member(counts, "reasons");
      if (!reasons.contains(going.rule)) return;
      SubtractName(reasons[going.rule], going.reason, 1);
      if (reasons[going.rule].empty()) reasons.erase(going.rule);
    });
  }

 private:
  absl::Status ForEach(std::string_view name, const std::function<void(const Going&)>& take) const {
    const DocumentFolder* folder = FindFolder(folders_, name);
    const auto rows = rows_.find(std::string(name));
    if (folder == nullptr || rows == rows_.end()) return absl::OkStatus();
    return ForGoing(*folder, rows->second, take);
  }

  const std::vector<DocumentFolder>& folders_;
  const std::map<std::string, std::vector<EditedRows>>& rows_;
};

}  // namespace

absl::StatusOr<Json> CountsWithout(const std::string& out, const std::string& name,
                                   const std::vector<DocumentFolder>& folders,
                                   const std::map<std::string, std::vector<EditedRows>>& rows) {
  const absl::StatusOr<Manifest> manifest = ReadManifest(fmt::format("{}/{}", out, name));
  if (!manifest.ok()) return Json();
  Json counts = manifest->counts;
  const Counter counter(folders, rows);
  if (manifest->stage == "fuse") {
    RETURN_IF_ERROR(counter.Fused(name, counts));
  } else if (manifest->stage == "curate") {
    RETURN_IF_ERROR(counter.Curated(name, counts));
  } else {
    return Json();
  }
  return counts;
}

absl::StatusOr<std::string> FolderOfShards(const std::string& out, const std::vector<DocumentFolder>& folders) {
  const absl::StatusOr<MappedFile> file = MappedFile::Open(out + "/shards/train-00000.lineage");
  LineageHeader header{};
  if (!file.ok() || file->bytes().size() < sizeof(header)) return std::string();
  std::memcpy(&header, file->bytes().data(), sizeof(header));
  if (std::memcmp(header.magic, kLineageMagic, sizeof(kLineageMagic)) != 0) return std::string();
  std::vector<std::string> names = {"corpus", "kept", "documents"};
  for (const DocumentFolder& folder : folders) names.push_back(folder.name);
  for (const std::string& name : names) {
    const DocumentFolder* folder = FindFolder(folders, name);
    if (folder == nullptr) continue;
    ASSIGN_OR_RETURN(const uint64_t rows, CountRows(folder->directory, folder->parts));
    if (rows == header.corpus_rows) return name;
  }
  return std::string();
}

}  // namespace rhodes
