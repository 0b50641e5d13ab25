#include "project/check.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <set>

#include "base/file.h"
#include "base/hash.h"
#include "base/manifest.h"
#include "model/safetensors.h"
#include "project/check_entities.h"
#include "project/check_shards.h"
#include "project/check_source.h"
#include "project/document_counts.h"
#include "project/erase.h"
#include "project/erase_journal.h"
#include "project/out_lock.h"
#include "project/out_tables.h"
#include "project/remake.h"
#include "record/rights.h"
#include "store/id_set.h"
#include "store/membership.h"
#include "store/source_directory.h"
#include "store/suppression.h"
#include "store/takedown_list.h"
#include "table/part_list.h"
#include "token/shards.h"
#include "token/tokenizer.h"
#include "trace/index_files.h"
#include "trace/trace.h"

namespace rhodes {
namespace {

namespace fs = std::filesystem;

constexpr char kAgain[] = "`rhodes run` makes it again once its manifest is gone: rhodes check --repair takes it away";

std::string Trimmed(std::string out) {
  while (out.size() > 1 && out.back() == '/') out.pop_back();
  return out;
}

bool IsDirectory(const std::string& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

// Directories of OUT/records and OUT/unused, with or without a manifest: "records/posts".
absl::StatusOr<std::vector<std::string>> SourceDirectories(const std::string& out) {
  std::vector<std::string> found;
  for (const char* place : {"records", "unused"}) {
    const std::string directory = fmt::format("{}/{}", out, place);
    if (!PathExists(directory)) continue;
    std::error_code error;
    for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
      const std::string name = it->path().filename().string();
      if (name.starts_with('.') || name.ends_with(".partial") || name.ends_with(".replaced")) continue;
      if (IsDirectory(it->path().string())) found.push_back(fmt::format("{}/{}", place, name));
    }
    if (error) return ErrnoError(error.value(), "list", directory);
  }
  std::sort(found.begin(), found.end());
  return found;
}

class Checker {
 public:
  Checker(const std::string& out, RunContext& context) : out_(out), context_(context) {}

  absl::StatusOr<CheckReport> Run() {
    context_.progress->Begin("check", 0, "");
    CheckErasure();
    CheckLists();
    ASSIGN_OR_RETURN(const std::vector<std::string> litter, FindLitter(out_));
    for (const std::string& path : litter) {
      if (path.ends_with(".replaced")) records_complete_ = false;
      report_.notes.push_back(fmt::format("{}: left by a run that was stopped; the next run removes it", Below(path)));
    }
    RETURN_IF_ERROR(CheckSources());
    const IdSet records = RecordIds();
    RETURN_IF_ERROR(CheckEntities(out_, records_complete_ ? &records : nullptr, kAgain, report_, bytes_, context_));
    RETURN_IF_ERROR(CheckDocuments(records));
    RETURN_IF_ERROR(CheckShards());
    RETURN_IF_ERROR(CheckTrace());
    RETURN_IF_ERROR(CheckModel());
    context_.progress->End();
    return std::move(report_);
  }

 private:
  std::string Below(const std::string& path) const { return path.substr(std::min(out_.size() + 1, path.size())); }
  void Add(std::string what, std::string file, std::string problem, std::string repair) {
    report_.problems.push_back({std::move(what), std::move(file), std::move(problem), std::move(repair)});
  }

  void AddManifest(const std::string& folder, const absl::Status& status) {
    const bool none = absl::IsNotFound(status);
    Add(folder, folder + "/manifest.json",
        none ? "there is no manifest: the stage counts as not done" : Message(status),
        none ? "`rhodes run`, or the stage's own command, makes it again" : kAgain);
  }

  void CheckErasure() {
    const absl::StatusOr<EraseJournal> journal = ReadJournal(out_);
    if (absl::IsNotFound(journal.status())) return;
    Add("erasure", ".erase.json",
        journal.ok() ? "an erasure was interrupted" : "it cannot be read: " + Message(journal.status()),
        journal.ok() ? "rhodes check --repair, `rhodes erase` or `rhodes run` goes on with it"
                     : "remove it and give the same `rhodes erase` command again");
  }

  // Without them, what was erased or taken back would come again.
  void CheckLists() {
    if (const absl::Status status = Suppression::Load(out_).status(); !status.ok()) {
      Add("erased", "records/.erased.json", Message(status), "put it back from a copy: nothing is stored until then");
    }
    if (const absl::Status status = TakedownList::Load(out_).status(); !status.ok()) {
      Add("takedowns", "records/.takedowns.jsonl", Message(status), "put it back from a copy");
    } else if (const absl::StatusOr<bool> pending = TakedownsPending(out_); pending.ok() && *pending) {
      Add("takedowns", "records/.takedowns.jsonl", "its notices were not carried out on all records",
          "rhodes check --repair, `rhodes ingest` or `rhodes run` carries them out");
    }
  }

  // A note: whether to forget is the owner's to say. Stored means: since the oldest part was written.
  void CheckRetention(const std::string& below) {
    const absl::StatusOr<SourceManifest> manifest = ReadSourceManifest(out_ + "/" + below);
    if (!manifest.ok() || !manifest->manifest.extra.contains("rights")) return;
    const std::string retention = RightsFromJson(manifest->manifest.extra["rights"]).retention;
    const auto now = std::filesystem::file_time_type::clock::now();
    auto oldest = now;
    for (const PartInfo& part : manifest->parts) {
      std::error_code error;
      const auto written = std::filesystem::last_write_time(fmt::format("{}/{}/{}", out_, below, part.file), error);
      if (!error) oldest = std::min(oldest, written);
    }
    const int64_t now_us =
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
            .count();
    const int64_t age = std::chrono::duration_cast<std::chrono::microseconds>(now - oldest).count();
    const absl::StatusOr<int64_t> end = RetentionEnd(retention, now_us - age);
    if (!end.ok() || *end >= now_us || manifest->parts.empty()) return;
    const std::string name = below.substr(below.rfind('/') + 1);
    report_.notes.push_back(fmt::format("{}: may be kept \"{}\", which is over: rhodes erase {} --source {}", below,
                                        retention, out_, name));
  }

  absl::Status CheckSources() {
    ASSIGN_OR_RETURN(const std::vector<std::string> sources, SourceDirectories(out_));
    SourceTotals totals;
    for (const std::string& below : sources) {
      context_.progress->Update(0, below);
      const size_t before = report_.problems.size();
      RETURN_IF_ERROR(CheckSource(out_, below, report_, totals, records_, context_));
      records_complete_ &= report_.problems.size() == before;
      CheckRetention(below);
    }
    std::sort(records_.begin(), records_.end());
    report_.checked["sources"] = sources.size();
    report_.checked["record_parts"] = totals.parts;
    report_.checked["records"] = totals.records;
    bytes_ += totals.bytes;
    return absl::OkStatus();
  }

  IdSet RecordIds() const {
    IdSet records;
    for (const MerkleLeaf& leaf : records_) records.Insert(KeyOfId(IdOfLeaf(leaf)));
    return records;
  }

  // Folders whose parts can be read.
  absl::Status CheckDocuments(const IdSet& records) {
    absl::StatusOr<std::vector<DocumentFolder>> folders = ListDocumentFolders(out_);
    if (!folders.ok()) {
      Add("documents", "documents", Message(folders.status()), kAgain);
      return absl::OkStatus();
    }
    folders_ = *std::move(folders);
    uint64_t documents = 0;
    for (const DocumentFolder& folder : folders_) {
      context_.progress->Update(0, folder.name);
      const size_t before = report_.problems.size();
      RETURN_IF_ERROR(CheckFolderManifest(folder));
      if (report_.problems.size() != before) continue;
      RETURN_IF_ERROR(CheckFolder(folder, records));
      documents += ids_of_[folder.name].size();
    }
    report_.checked["documents"] = documents;
    CheckPartition();
    return absl::OkStatus();
  }

  absl::Status CheckFolderManifest(const DocumentFolder& folder) {
    const absl::StatusOr<Manifest> manifest = ReadManifest(folder.directory);
    if (!manifest.ok()) {
      const bool wanted = folder.name == "documents" || folder.name == "corpus";
      if (wanted || !absl::IsNotFound(manifest.status())) AddManifest(folder.name, manifest.status());
      return absl::OkStatus();
    }
    RETURN_IF_ERROR(CheckFiles(*manifest, "files", folder.name));
    if (manifest->stage == "curate") RETURN_IF_ERROR(CheckFiles(*manifest, "dropped_files", "dropped"));
    ASSIGN_OR_RETURN(const uint64_t rows, CountRows(folder.directory, folder.parts));
    const Json& counts = manifest->counts;
    const char* count = manifest->stage == "curate" ? "kept" : "documents";
    if (counts.is_object() && counts.contains(count) && counts[count] != rows) {
      Add(folder.name, folder.name + "/manifest.json",
          fmt::format("counts {} {}, and the parts have {} rows", counts[count].dump(), count, rows), kAgain);
    }
    if (manifest->stage == "curate" && counts.is_object() &&
        counts.value("documents", uint64_t{0}) !=
            counts.value("kept", uint64_t{0}) + counts.value("dropped", uint64_t{0})) {
      Add(folder.name, folder.name + "/manifest.json", "counts do not add up: documents is not kept + dropped", kAgain);
    }
    return absl::OkStatus();
  }

  absl::Status CheckFiles(const Manifest& manifest, const char* list, const std::string& folder) {
    if (!manifest.extra.contains(list)) return absl::OkStatus();
    const absl::StatusOr<std::vector<PartInfo>> parts = PartsFromJson(manifest.extra[list], folder + "/manifest.json");
    if (!parts.ok()) {
      Add(folder, folder + "/manifest.json", Message(parts.status()), kAgain);
      return absl::OkStatus();
    }
    RETURN_IF_ERROR(CheckParts(out_, folder, *parts, folder.c_str(), kAgain, report_, bytes_, context_));
    if (!IsDirectory(out_ + "/" + folder)) return absl::OkStatus();
    ASSIGN_OR_RETURN(const std::vector<std::string> there, ListFiles(out_ + "/" + folder));
    for (const std::string& file : there) {
      const std::string name = file.substr(file.rfind('/') + 1);
      if (!name.starts_with("part-") || !name.ends_with(".parquet")) continue;
      if (std::none_of(parts->begin(), parts->end(), [&](const PartInfo& part) { return part.file == name; })) {
        Add(folder, Below(file), "the manifest does not list it", "remove it, or " + std::string(kAgain));
      }
    }
    return absl::OkStatus();
  }

  absl::Status CheckFolder(const DocumentFolder& folder, const IdSet& records) {
    std::vector<MerkleLeaf>& ids = ids_of_[folder.name];
    uint64_t missing = 0;
    ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, Database::Open({}));
    RETURN_IF_ERROR(RegisterIdSet(*database, "rhodes_known", &records));
    for (const std::string& part : folder.parts) {
      RETURN_IF_ERROR(context_.CheckCancelled());
      const std::string path = SqlLiteral(folder.directory + "/" + part);
      absl::Status read = ForEachString(*database, fmt::format("SELECT id FROM read_parquet({})", path),
                                        [&](std::string_view id) { ids.push_back(LeafOfId(id)); });
      if (read.ok() && records.size() > 0) {
        const absl::StatusOr<uint64_t> unknown = database->QueryCount(
            fmt::format("SELECT count(*) FROM (SELECT unnest(parents) AS parent FROM read_parquet({})) WHERE NOT "
                        "rhodes_known(parent)",
                        path));
        if (unknown.ok()) missing += *unknown;
        read = unknown.status();
      }
      if (!read.ok()) {
        Add(folder.name, folder.name + "/" + part, "cannot be read: " + Message(read), kAgain);
        return absl::OkStatus();
      }
    }
    // With a source that cannot be read, its documents have no parents as far as anyone can tell.
    if (missing > 0 && records_complete_) {
      Add(folder.name, folder.name,
          fmt::format("{} parents of its documents are no records of this folder: records were replaced since",
                      missing),
          "`rhodes run`, or `rhodes fuse` and what follows it, makes the documents again");
    }
    std::vector<MerkleLeaf> sorted = ids;
    std::sort(sorted.begin(), sorted.end());
    if (const auto same = std::adjacent_find(sorted.begin(), sorted.end());
        same != sorted.end() && folder.name == "documents") {
      Add(folder.name, folder.name, fmt::format("the id {} is that of two documents", IdOfLeaf(*same)), kAgain);
    }
    return absl::OkStatus();
  }

  // What was fused was either kept or dropped, and nothing else was.
  void CheckPartition() {
    const auto ids = [&](const char* name) {
      std::vector<MerkleLeaf> sorted;
      if (const auto it = ids_of_.find(name); it != ids_of_.end()) sorted = it->second;
      std::sort(sorted.begin(), sorted.end());
      return sorted;
    };
    if (!ids_of_.contains("documents") || !ids_of_.contains("corpus")) return;
    const std::vector<MerkleLeaf> fused = ids("documents");
    std::vector<MerkleLeaf> judged = ids("corpus");
    const std::vector<MerkleLeaf> dropped = ids("dropped");
    judged.insert(judged.end(), dropped.begin(), dropped.end());
    std::sort(judged.begin(), judged.end());
    std::vector<MerkleLeaf> foreign;
    std::set_difference(judged.begin(), judged.end(), fused.begin(), fused.end(), std::back_inserter(foreign));
    std::vector<MerkleLeaf> unjudged;
    std::set_difference(fused.begin(), fused.end(), judged.begin(), judged.end(), std::back_inserter(unjudged));
    if (foreign.empty() && unjudged.empty()) return;
    Add("corpus", "corpus",
        fmt::format("{} documents are neither kept nor dropped, and {} that were kept or dropped are no documents",
                    unjudged.size(), foreign.size()),
        "`rhodes run`, or `rhodes curate`, judges the documents again");
  }

  absl::Status CheckShards() {
    const std::string directory = out_ + "/shards";
    if (!PathExists(directory)) return absl::OkStatus();
    context_.progress->Update(0, "shards");
    const absl::StatusOr<Manifest> manifest = ReadManifest(directory);
    if (!manifest.ok()) AddManifest("shards", manifest.status());
    if (const absl::Status status = Tokenizer::Load(out_ + "/tokenizer.json").status(); !status.ok()) {
      Add("shards", "tokenizer.json", Message(status), "`rhodes run`, or `rhodes tokenize`, makes it again");
    }
    ASSIGN_OR_RETURN(CheckedShards checked, CheckShardFiles(directory, "shards/", kAgain, report_, context_));
    const uint64_t documents = checked.documents;
    const uint64_t tokens = checked.tokens;
    std::vector<uint64_t>& rows = checked.rows;
    if (!checked.whole) {
      shards_complete_ = false;
      return absl::OkStatus();
    }
    report_.checked["tokens"] = tokens;
    if (manifest.ok() && manifest->counts.is_object() &&
        (manifest->counts.value("documents", documents) != documents ||
         manifest->counts.value("tokens", tokens) != tokens)) {
      Add("shards", "shards/manifest.json",
          fmt::format("its counts are not those of the shards, {} documents and {} tokens", documents, tokens), kAgain);
    }
    std::sort(rows.begin(), rows.end());
    const bool mixed = manifest.ok() && manifest->counts.is_object() && manifest->counts.contains("mix");
    if (!mixed && std::adjacent_find(rows.begin(), rows.end()) != rows.end()) {
      Add("shards", "shards", "two documents name the same row of the corpus", kAgain);
    }
    ASSIGN_OR_RETURN(shard_folder_, FolderOfShards(out_, folders_));
    if (shard_folder_.empty()) {
      Add("shards", "shards", "no folder of documents has as many rows as their lineage counts", kAgain);
    } else if (!rows.empty() && rows.back() >= ids_of_[shard_folder_].size() && !ids_of_[shard_folder_].empty()) {
      Add("shards", "shards", fmt::format("their lineage names row {}, which {} has not", rows.back(), shard_folder_),
          kAgain);
    }
    return absl::OkStatus();
  }

  absl::Status CheckTrace() {
    if (!PathExists(out_ + "/trace")) return absl::OkStatus();
    context_.progress->Update(0, "trace");
    constexpr char kBuild[] = "make it again with `rhodes run`, or `rhodes trace --out OUT --build`";
    if (const absl::Status status = ReadManifest(out_ + "/trace").status(); !status.ok()) {
      AddManifest("trace", status);
    }
    if (!records_complete_ || !shards_complete_) {
      report_.notes.emplace_back("trace: not looked at, because what it leads to is damaged");
      return absl::OkStatus();
    }
    // Opening the index compares every checksum. The records it leads to were checked already.
    const absl::StatusOr<std::unique_ptr<TraceIndex>> index = TraceIndex::Open(out_);
    if (!index.ok()) {
      Add("trace", "trace", Message(index.status()), kBuild);
      return absl::OkStatus();
    }
    const auto ids = ids_of_.find(shard_folder_);
    if (ids == ids_of_.end()) return absl::OkStatus();
    ASSIGN_OR_RETURN(const DocumentTable table, DocumentTable::Open(out_ + "/trace/documents.bin"));
    ASSIGN_OR_RETURN(const std::unique_ptr<ShardSet> shards, ShardSet::Open(out_ + "/shards", "train"));
    uint64_t wrong = 0;
    for (uint64_t d = 0; d < table.size(); ++d) {
      const uint64_t row = shards->CorpusRow(d);
      wrong += row >= ids->second.size() || ids->second[row] != LeafOfId(table.Id(d));
    }
    if (wrong > 0)
      Add("trace", "trace/documents.bin", fmt::format("{} documents are not those of {}", wrong, shard_folder_),
          kBuild);
    return absl::OkStatus();
  }

  absl::Status CheckModel() {
    if (PathExists(out_ + "/model")) {
      const absl::StatusOr<Manifest> manifest = ReadManifest(out_ + "/model");
      if (manifest.ok()) {
        RETURN_IF_ERROR(CheckFiles(*manifest, "files", "model"));
      } else {
        AddManifest("model", manifest.status());
      }
      if (const absl::Status status = SafetensorsFile::Open(out_ + "/model/model.safetensors").status(); !status.ok()) {
        Add("model", "model/model.safetensors", Message(status), kAgain);
      }
    }
    if (PathExists(out_ + "/answers.json")) {
      if (const absl::Status status = ReadJsonFile(out_ + "/answers.json").status(); !status.ok()) {
        Add("answers", "answers.json", Message(status), "`rhodes run` asks again");
      }
    }
    report_.checked["bytes_hashed"] = bytes_;
    return absl::OkStatus();
  }

  const std::string& out_;
  RunContext& context_;
  CheckReport report_;
  std::vector<MerkleLeaf> records_;
  bool records_complete_ = true;
  bool shards_complete_ = true;
  std::vector<DocumentFolder> folders_;
  std::map<std::string, std::vector<MerkleLeaf>> ids_of_;  // in the order of the rows
  std::string shard_folder_;
  uint64_t bytes_ = 0;
};

absl::Status RequireOut(const std::string& out) {
  for (const char* name : {"records", "documents", "corpus", "shards", "model"}) {
    if (PathExists(fmt::format("{}/{}", out, name))) return absl::OkStatus();
  }
  return absl::NotFoundError(
      fmt::format("check: {} holds no stage's output; name the folder that `rhodes run` or --out wrote to", out));
}

// What a problem of a derived stage asks for: the manifest by which the stage counts as done.
std::string ManifestOf(const CheckProblem& problem) {
  if (problem.what == "dropped") return "corpus/manifest.json";
  if (problem.what == "answers") return "answers.json";
  return problem.what + "/manifest.json";
}

// Shards again from their documents, with the tokenizer that is there: the same bytes as before the damage. False when
// what they were made from, or how, is not known.
absl::StatusOr<bool> RepairShards(const std::string& out, RunContext& context) {
  const absl::StatusOr<Manifest> manifest = ReadManifest(out + "/shards");
  if (!manifest.ok() || !Tokenizer::Load(out + "/tokenizer.json").ok()) return false;
  const absl::StatusOr<std::vector<DocumentFolder>> folders = ListDocumentFolders(out);
  if (!folders.ok()) return false;
  for (const char* name : {"corpus", "kept", "documents"}) {
    for (const DocumentFolder& folder : *folders) {
      if (folder.name != name) continue;
      const absl::StatusOr<uint64_t> rows = CountRows(folder.directory, folder.parts);
      if (!rows.ok() || *rows != manifest->counts.value("documents", uint64_t{0})) continue;
      RETURN_IF_ERROR(RemakeShards(out, name, manifest->key, manifest->settings, context));
      return true;
    }
  }
  return false;
}

// The trace index is made of the shards. The model stays: it has a tokenizer of its own.
absl::Status RepairTokens(const std::string& out, std::set<std::string>& manifests, std::vector<std::string>& done,
                          RunContext& context) {
  const bool documents = manifests.contains("documents/manifest.json") || manifests.contains("corpus/manifest.json");
  if (!documents && manifests.contains("shards/manifest.json")) {
    ASSIGN_OR_RETURN(const bool made, RepairShards(out, context));
    if (made) {
      manifests.erase("shards/manifest.json");
      done.emplace_back("shards made again from their documents");
    }
  }
  // What is made again need not have the rows that the stages behind it were made from: records that came back from the
  // input, or that were erased since, make other documents.
  if (manifests.contains("documents/manifest.json")) manifests.insert("corpus/manifest.json");
  if (manifests.contains("corpus/manifest.json")) manifests.insert("shards/manifest.json");
  if (manifests.contains("shards/manifest.json") && PathExists(out + "/trace")) manifests.insert("trace/manifest.json");
  return absl::OkStatus();
}

absl::Status RepairAll(const std::string& out, const CheckReport& found, std::vector<std::string>& done,
                       RunContext& context) {
  std::set<std::string> sources;
  std::set<std::string> manifests;
  for (const CheckProblem& problem : found.problems) {
    if (problem.what == "record source") {
      sources.insert(problem.file.substr(0, problem.file.rfind('/')));
    } else if (problem.what != "erasure" && problem.what != "erased" && problem.what != "takedowns") {
      manifests.insert(ManifestOf(problem));
    }
  }
  for (const std::string& below : sources) RETURN_IF_ERROR(RepairSource(out, below, done));
  RETURN_IF_ERROR(RepairTokens(out, manifests, done, context));
  for (const std::string& manifest : manifests) {
    if (!PathExists(out + "/" + manifest)) continue;
    RETURN_IF_ERROR(RemoveTree(out + "/" + manifest));
    done.push_back(fmt::format("{} removed, so that `rhodes run` makes its stage again", manifest));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<uint64_t> ReadWholePart(const std::string& path) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, Database::Open({}));
  return database->QueryCount(fmt::format(
      "SELECT count(*) FROM (SELECT hash(part) AS h FROM read_parquet({}, hive_partitioning = false) part) WHERE h IS "
      "NOT NULL",
      SqlLiteral(path)));
}

absl::StatusOr<CheckReport> CheckOut(const std::string& out, RunContext& context) {
  const std::string folder = Trimmed(out);
  if (IsShardsFolder(folder)) return CheckShardsFolder(folder, context);
  RETURN_IF_ERROR(RequireOut(folder));
  return Checker(folder, context).Run();
}

absl::StatusOr<CheckReport> RepairOut(const std::string& out, RunContext& context) {
  const std::string folder = Trimmed(out);
  RETURN_IF_ERROR(RequireOut(folder));
  ASSIGN_OR_RETURN(const OutLock lock, OutLock::Acquire(folder));
  std::vector<std::string> done;
  ASSIGN_OR_RETURN(const std::vector<std::string> litter, RemoveLitter(folder));
  for (const std::string& path : litter) done.push_back(path.substr(folder.size() + 1) + ": unfinished output removed");
  if (ReadJournal(folder).ok()) {
    RETURN_IF_ERROR(FinishErasure(folder, context).status());
    done.emplace_back("the erasure that was interrupted was finished");
  }
  ASSIGN_OR_RETURN(CheckReport report, Checker(folder, context).Run());
  // Twice at most: what was hidden behind a damage shows when that is repaired.
  for (int round = 0; round < 2 && !report.ok(); ++round) {
    const size_t before = done.size();
    RETURN_IF_ERROR(RepairAll(folder, report, done, context));
    const absl::StatusOr<bool> pending = TakedownsPending(folder);
    if (pending.ok() && *pending) {
      RETURN_IF_ERROR(CarryOutTakedowns(folder, context).status());
      done.emplace_back("notices that took records back were carried out");
    }
    if (done.size() == before) break;
    ASSIGN_OR_RETURN(report, Checker(folder, context).Run());
  }
  report.repaired = std::move(done);
  return report;
}

Json ToJson(const CheckReport& report) {
  Json problems = Json::array();
  for (const CheckProblem& problem : report.problems) {
    problems.push_back(
        {{"what", problem.what}, {"file", problem.file}, {"problem", problem.problem}, {"repair", problem.repair}});
  }
  return {{"ok", report.ok()},
          {"problems", std::move(problems)},
          {"notes", report.notes},
          {"repaired", report.repaired},
          {"checked", report.checked}};
}

std::string FormatCheck(const CheckReport& report) {
  std::string text;
  for (const std::string& line : report.repaired) text += fmt::format("repaired: {}\n", line);
  for (const std::string& line : report.notes) text += fmt::format("note: {}\n", line);
  for (const CheckProblem& problem : report.problems) {
    text += fmt::format("{}: {}\n  {}\n", problem.file, problem.problem, problem.repair);
  }
  std::string checked;
  for (const auto& [name, count] : report.checked.items()) {
    checked += fmt::format("{}{} {}", checked.empty() ? "" : ", ", count.get<uint64_t>(), name);
  }
  std::replace(checked.begin(), checked.end(), '_', ' ');
  text += fmt::format("{}: {}\n", report.ok() ? "all is well" : fmt::format("{} problems", report.problems.size()),
                      checked);
  return text;
}

}  // namespace rhodes
