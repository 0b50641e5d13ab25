#include "project/out_tables.h"

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <optional>
#include <set>

#include "base/file.h"
#include "base/manifest.h"
#include "base/parallel.h"
#include "store/id_set.h"
#include "store/record_store.h"
#include "store/source_directory.h"
#include "store/source_lock.h"

namespace rhodes {
namespace {

namespace fs = std::filesystem;

// The names in a directory, sorted; none when it is not there.
absl::StatusOr<std::vector<std::string>> Names(const std::string& directory) {
  std::vector<std::string> names;
  if (!PathExists(directory)) return names;
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    names.push_back(it->path().filename().string());
  }
  if (error) return ErrnoError(error.value(), "list", directory);
  std::sort(names.begin(), names.end());
  return names;
}

bool IsDirectory(const std::string& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

// Folders of OUT that hold no documents.
bool IsOther(const std::string& name) {
  static const std::set<std::string> kOthers = {"records", "unused",      "rejects", "shards",  "model",
                                                "trace",   "checkpoints", "damaged", "entities"};
  return kOthers.contains(name) || name.ends_with(".partial") || name.ends_with(".replaced");
}

absl::StatusOr<bool> HasDocuments(Database& database, const std::string& part) {
  absl::StatusOr<QueryResult> columns =
      database.Query(fmt::format("SELECT name FROM parquet_schema({})", SqlLiteral(part)));
  std::set<std::string> names;
  while (columns.ok()) {
    absl::StatusOr<bool> more = columns->Next();
    if (!more.ok()) return absl::FailedPreconditionError(fmt::format("{}: {}", part, Message(more.status())));
    if (!*more) return names.contains("id") && names.contains("parents");
    for (size_t row = 0; row < columns->row_count(); ++row) names.emplace(columns->String(0, row));
  }
  return absl::FailedPreconditionError(fmt::format("{}: {}", part, Message(columns.status())));
}

// An unfinished exchange or a temporary file: what it would have become.
struct Leftover {
  std::string path;
  std::string target;
  std::string source;  // of which the lock is to be held
};

absl::StatusOr<std::vector<Leftover>> FindLeftovers(const std::string& out) {
  std::vector<Leftover> leftovers;
  for (const char* place : {"", "/records", "/unused", "/rejects"}) {
    const std::string directory = out + place;
    ASSIGN_OR_RETURN(const std::vector<std::string> names, Names(directory));
    for (const std::string& name : names) {
      for (const std::string_view suffix : {".partial", ".replaced"}) {
        if (!name.ends_with(suffix) || name.size() == suffix.size()) continue;
        Leftover leftover{directory + "/" + name, directory + "/" + name.substr(0, name.size() - suffix.size()), ""};
        if (std::string_view(place) == "/records") leftover.source = name.substr(0, name.size() - suffix.size());
        leftovers.push_back(std::move(leftover));
      }
    }
  }
  for (const char* spill : {"/.fuse", "/.entities", "/.voided"}) {
    if (PathExists(out + spill)) leftovers.push_back({out + spill, "", ""});
  }
  return leftovers;
}

absl::Status RemoveLeftover(const std::string& out, const Leftover& leftover) {
  std::optional<SourceLock> lock;
  if (!leftover.source.empty() && !leftover.source.starts_with('.')) {
    ASSIGN_OR_RETURN(SourceLock taken, SourceLock::Take(out + "/records", leftover.source));
    lock.emplace(std::move(taken));
  }
  if (!PathExists(leftover.path)) return absl::OkStatus();
  if (!leftover.target.empty() && IsDirectory(leftover.path)) return StagedDirectory::Open(leftover.target).status();
  return RemoveTree(leftover.path);
}

// Files that a source's manifest does not list, and ends of logs.
absl::StatusOr<bool> HasUncommitted(const std::string& directory, const SourceManifest& manifest) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, Names(directory));
  for (const std::string& name : names) {
    if (name == "manifest.json") continue;
    const std::pair<const char*, uint64_t> logs[] = {{kDuplicatesFile, manifest.duplicates_bytes},
                                                     {kRejectsFile, manifest.rejects_bytes},
                                                     {kFilesFile, manifest.files_bytes}};
    bool listed = std::any_of(manifest.parts.begin(), manifest.parts.end(),
                              [&](const PartInfo& part) { return part.file == name; });
    for (const auto& [log, bytes] : logs) {
      if (name != log) continue;
      listed = true;
      ASSIGN_OR_RETURN(const uint64_t size, FileSize(directory + "/" + name));
      if (size > bytes) return true;
    }
    if (!listed) return true;
  }
  return false;
}

absl::StatusOr<std::vector<SourceTable>> SourcesWithLitter(const std::string& out) {
  std::vector<SourceTable> found;
  ASSIGN_OR_RETURN(const std::vector<SourceTable> sources, ListSourceTables(out));
  for (const SourceTable& source : sources) {
    const absl::StatusOr<SourceManifest> manifest = ReadSourceManifest(source.directory);
    if (!manifest.ok()) continue;  // damaged: not for this to judge
    ASSIGN_OR_RETURN(const bool any, HasUncommitted(source.directory, *manifest));
    if (any) found.push_back(source);
  }
  return found;
}

}  // namespace

absl::StatusOr<std::vector<SourceTable>> ListSourceTables(const std::string& out) {
  std::vector<SourceTable> tables;
  ASSIGN_OR_RETURN(const std::vector<std::string> names, ListSources(out));
  for (const std::string& name : names) tables.push_back({name, SourceDirectory(out, name), false});
  ASSIGN_OR_RETURN(const std::vector<std::string> unused, Names(out + "/unused"));
  for (const std::string& name : unused) {
    const std::string directory = out + "/unused/" + name;
    if (name.ends_with(".partial") || name.ends_with(".replaced") || !PathExists(directory + "/manifest.json"))
      continue;
    tables.push_back({name, directory, true});
  }
  return tables;
}

absl::StatusOr<std::vector<DocumentFolder>> ListDocumentFolders(const std::string& out) {
  std::vector<DocumentFolder> folders;
  ASSIGN_OR_RETURN(const std::vector<std::string> names, Names(out));
  ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, Database::Open({}));
  for (const std::string& name : names) {
    DocumentFolder folder{name, out + "/" + name, {}};
    if (IsOther(name) || !IsDirectory(folder.directory)) continue;
    ASSIGN_OR_RETURN(const std::vector<std::string> files, Names(folder.directory));
    for (const std::string& file : files) {
      if (file.starts_with("part-") && file.ends_with(".parquet")) folder.parts.push_back(file);
    }
    if (folder.parts.empty()) {  // a stage may have kept nothing
      const absl::StatusOr<Manifest> manifest = ReadManifest(folder.directory);
      if (manifest.ok() && (manifest->stage == "fuse" || manifest->stage == "curate")) folders.push_back(folder);
      continue;
    }
    ASSIGN_OR_RETURN(const bool documents, HasDocuments(*database, folder.directory + "/" + folder.parts[0]));
    if (documents) folders.push_back(std::move(folder));
  }
  return folders;
}

absl::StatusOr<uint64_t> CountRows(const std::string& directory, const std::vector<std::string>& parts) {
  if (parts.empty()) return 0;
  std::string list;
  for (const std::string& part : parts) list += (list.empty() ? "" : ", ") + SqlLiteral(directory + "/" + part);
  ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, Database::Open({}));
  return database->QueryCount(fmt::format("SELECT sum(num_rows) FROM parquet_file_metadata([{}])", list));
}

absl::Status ForEachString(Database& database, const std::string& sql,
                           const std::function<void(std::string_view)>& take) {
  ASSIGN_OR_RETURN(QueryResult rows, database.Query(sql));
  while (true) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return absl::OkStatus();
    for (size_t row = 0; row < rows.row_count(); ++row) {
      if (!rows.IsNull(0, row)) take(rows.String(0, row));
    }
  }
}

MerkleLeaf LeafOfId(std::string_view id) {
  const IdKey key = KeyOfId(id);
  MerkleLeaf leaf{};
  for (size_t i = 0; i < 8; ++i) {
    leaf[i] = static_cast<unsigned char>(key.high >> (56 - 8 * i));
    leaf[8 + i] = static_cast<unsigned char>(key.low >> (56 - 8 * i));
  }
  return leaf;
}

std::string IdOfLeaf(const MerkleLeaf& leaf) {
  return ToHex({reinterpret_cast<const char*>(leaf.data()), leaf.size()});
}

absl::StatusOr<std::vector<MerkleLeaf>> RecordLeaves(const std::string& out, const RunContext& context) {
  std::vector<std::string> parts;
  ASSIGN_OR_RETURN(const std::vector<SourceTable> sources, ListSourceTables(out));
  for (const SourceTable& source : sources) {
    ASSIGN_OR_RETURN(const SourceManifest manifest, ReadSourceManifest(source.directory));
    for (const PartInfo& part : manifest.parts) parts.push_back(source.directory + "/" + part.file);
  }
  std::vector<MerkleLeaf> leaves;
  std::mutex mutex;
  const absl::Status read = ParallelFor(context.Threads(), parts.size(), [&](size_t i) -> absl::Status {
    RETURN_IF_ERROR(context.CheckCancelled());
    ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, Database::Open({}));
    std::vector<MerkleLeaf> of_part;
    RETURN_IF_ERROR(
        Annotate(ForEachString(*database, fmt::format("SELECT id FROM read_parquet({})", SqlLiteral(parts[i])),
                               [&](std::string_view id) { of_part.push_back(LeafOfId(id)); }),
                 parts[i]));
    const std::scoped_lock lock(mutex);
    leaves.insert(leaves.end(), of_part.begin(), of_part.end());
    return absl::OkStatus();
  });
  RETURN_IF_ERROR(read);
  std::sort(leaves.begin(), leaves.end());
  leaves.erase(std::unique(leaves.begin(), leaves.end()), leaves.end());
  return leaves;
}

absl::StatusOr<std::vector<std::string>> FindLitter(const std::string& out) {
  std::vector<std::string> found;
  ASSIGN_OR_RETURN(const std::vector<Leftover> leftovers, FindLeftovers(out));
  for (const Leftover& leftover : leftovers) found.push_back(leftover.path);
  ASSIGN_OR_RETURN(const std::vector<SourceTable> sources, SourcesWithLitter(out));
  for (const SourceTable& source : sources) found.push_back(source.directory);
  return found;
}

absl::StatusOr<std::vector<std::string>> RemoveLitter(const std::string& out) {
  std::vector<std::string> done;
  ASSIGN_OR_RETURN(const std::vector<Leftover> leftovers, FindLeftovers(out));
  for (const Leftover& leftover : leftovers) {
    RETURN_IF_ERROR(RemoveLeftover(out, leftover));
    done.push_back(leftover.path);
  }
  ASSIGN_OR_RETURN(const std::vector<SourceTable> sources, SourcesWithLitter(out));
  for (const SourceTable& source : sources) {
    const fs::path path(source.directory);
    ASSIGN_OR_RETURN(const SourceLock lock, SourceLock::Take(path.parent_path().string(), source.name));
    ASSIGN_OR_RETURN(const SourceManifest manifest, ReadSourceManifest(source.directory));
    RETURN_IF_ERROR(RemoveUncommitted(source.directory, manifest));
    done.push_back(source.directory);
  }
  return done;
}

}  // namespace rhodes
