#include "project/erase_plan.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <set>

#include "base/file.h"
#include "base/hash.h"
#include "base/manifest.h"
#include "project/document_counts.h"
#include "project/out_tables.h"
#include "store/membership.h"
#include "store/part_edit.h"
#include "store/source_directory.h"
#include "token/shard_writer.h"
#include "token/shards.h"

namespace rhodes {
namespace {

std::string Now() {
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

std::string SqlList(const std::vector<std::string>& values) {
  std::string list;
  for (const std::string& value : values) list += (list.empty() ? "" : ", ") + SqlLiteral(value);
  return "(" + list + ")";
}

void SortUnique(std::vector<std::string>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

bool IsHexId(std::string_view id) {
  return id.size() == 32 &&
         std::all_of(id.begin(), id.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

absl::Status CheckSelector(const EraseSelector& selector) {
  const int given = int{!selector.author.empty()} + int{!selector.device.empty()} + int{!selector.source.empty()} +
                    int{!selector.records.empty()};
  if (given != 1) return UsageError("erase: name one of --author, --device, --source and --record");
  for (const std::string& id : selector.records) {
    if (!IsHexId(id)) {
      return UsageError(fmt::format("erase: --record {}: an id has 32 lower-case hexadecimal digits", id));
    }
  }
  return absl::OkStatus();
}

class Planner {
 public:
  Planner(const std::string& out, const RunContext& context) : out_(out), context_(context) {}

  absl::StatusOr<ErasePlan> Plan(const EraseSelector& selector) {
    RETURN_IF_ERROR(CheckSelector(selector));
    ASSIGN_OR_RETURN(sources_, ListSourceTables(out_));
    ASSIGN_OR_RETURN(PartEdit edit, EditFor(selector));
    for (const SourceTable& source : sources_) {
      const bool whole = source.name == selector.source;
      if (!selector.source.empty() && !whole) continue;
      RETURN_IF_ERROR(Annotate(PlanSource(source, edit, whole), "erase: " + source.directory));
    }
    // What was made from a record may be there without it.
    journal_.records.insert(journal_.records.end(), selector.records.begin(), selector.records.end());
    if (journal_.records.empty() && journal_.masked.empty()) RETURN_IF_ERROR(FindSimilar(selector));
    for (const std::string& name : plan_.suppress.authors) journal_.needles.AddName(name);
    for (const std::string& name : plan_.suppress.devices) journal_.needles.AddName(name);
    RETURN_IF_ERROR(PlanRejects());
    return Finish();
  }

  absl::StatusOr<ErasePlan> Takedowns(const TakedownList& takedowns) {
    ASSIGN_OR_RETURN(sources_, ListSourceTables(out_));
    journal_.selector = {{"kind", kTakedowns}};
    for (const SourceTable& source : sources_) {
      ASSIGN_OR_RETURN(const ObeyedTakedowns obeyed, ReadObeyedTakedowns(source.directory));
      if (obeyed.version == takedowns.version()) continue;
      RETURN_IF_ERROR(Annotate(PlanSource(source, takedowns.Edit(), false), "notices: " + source.directory));
    }
    if (journal_.records.empty() && journal_.masked.empty()) return std::move(plan_);
    RETURN_IF_ERROR(PlanRejects());
    return Finish();
  }

  absl::StatusOr<ErasePlan> Cascade(const std::vector<std::string>& ids) {
    ASSIGN_OR_RETURN(sources_, ListSourceTables(out_));
    journal_.selector = {{"kind", "records"}, {"records", ids.size()}};
    journal_.records = ids;
    return Finish();
  }

 private:
  // Which rows of the records go, and which are masked.
  absl::StatusOr<PartEdit> EditFor(const EraseSelector& selector) {
    PartEdit edit;
    if (!selector.source.empty()) {
      journal_.selector = {{"kind", "source"}, {"source", selector.source}};
      plan_.suppress.sources = {selector.source};
      edit.remove = "true";
      return edit;
    }
    if (!selector.records.empty()) {
      journal_.selector = {{"kind", "record"}, {"records", selector.records}};
      plan_.suppress.records = selector.records;
      edit.remove = fmt::format("id IN {}", SqlList(selector.records));
      return edit;
    }
    if (!selector.device.empty()) {
      journal_.selector = {{"kind", "device"}};
      plan_.suppress.devices = {selector.device};
      edit.remove = fmt::format("author = {} AND kind IS DISTINCT FROM 'post'", SqlLiteral(selector.device));
      return edit;
    }
    journal_.selector = {{"kind", "author"}};
    plan_.suppress.authors = {selector.author};
    ASSIGN_OR_RETURN(const std::vector<std::string> numbers, NumbersOf(selector.author));
    plan_.suppress.authors.insert(plan_.suppress.authors.end(), numbers.begin(), numbers.end());
    const std::string names = SqlList(plan_.suppress.authors);
    edit.remove = "author = " + SqlLiteral(selector.author);
    for (const std::string& field : AuthorFields()) {
      edit.remove += fmt::format(" OR fields[{}] IN {}", SqlLiteral(field), names);
    }
    PartEdit::Mask& quotes = edit.masks.emplace_back();
    for (const std::string& field : QuotedAuthorFields()) {
      quotes.where += fmt::format("{}fields[{}] IN {}", quotes.where.empty() ? "" : " OR ", SqlLiteral(field), names);
    }
    return edit;
  }

  // The numbers of the accounts that posted under a name: the same person under another name has the same number.
  absl::StatusOr<std::vector<std::string>> NumbersOf(const std::string& author) const {
    std::set<std::string> numbers;
    ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, Database::Open({}));
    for (const SourceTable& source : sources_) {
      ASSIGN_OR_RETURN(const SourceManifest manifest, ReadSourceManifest(source.directory));
      for (const PartInfo& part : manifest.parts) {
        RETURN_IF_ERROR(ForEachString(
            *database,
            fmt::format("SELECT DISTINCT fields['user'] FROM read_parquet({}) WHERE author = {} AND kind = 'post' AND "
                        "regexp_full_match(fields['user'], '[1-9][0-9]*')",
                        SqlLiteral(source.directory + "/" + part.file), SqlLiteral(author)),
            [&](std::string_view number) { numbers.emplace(number); }));
      }
    }
    return std::vector<std::string>(numbers.begin(), numbers.end());
  }

  absl::Status PlanSource(const SourceTable& source, const PartEdit& edit, bool whole) {
    ASSIGN_OR_RETURN(const SourceManifest manifest, ReadSourceManifest(source.directory));
    std::vector<std::string> parts;
    for (const PartInfo& part : manifest.parts) parts.push_back(part.file);
    ASSIGN_OR_RETURN(const std::vector<EditedRows> rows, FindRowsOfAll(source.directory, parts, edit, context_));
    const std::string below = source.directory.substr(out_.size() + 1);
    if (whole) journal_.emptied.push_back(below);
    bool any = whole;
    for (size_t i = 0; i < parts.size(); ++i) {
      if (!rows[i].any()) continue;
      any = true;
      journal_.records.insert(journal_.records.end(), rows[i].removed_ids.begin(), rows[i].removed_ids.end());
      journal_.masked.insert(journal_.masked.end(), rows[i].masked_ids.begin(), rows[i].masked_ids.end());
      removed_by_source_[below] += rows[i].removed_ids.size();
      journal_.files[below + "/" + parts[i]] = manifest.parts[i].sha256;
      RETURN_IF_ERROR(AddNeedles(source.directory + "/" + parts[i], rows[i]));
    }
    if (!any) return absl::OkStatus();
    for (const char* name : {"manifest.json", kDuplicatesFile, kRejectsFile, kFilesFile}) {
      RETURN_IF_ERROR(AddFile(below + "/" + name));
    }
    return absl::OkStatus();
  }

  // Of the texts that go, and of quotations that are masked.
  absl::Status AddNeedles(const std::string& part, const EditedRows& rows) {
    ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, Database::Open({}));
    RETURN_IF_ERROR(RegisterRowSet(*database, "rhodes_removed", &rows.removed));
    const std::string scan = fmt::format("read_parquet({}, file_row_number = true)", SqlLiteral(part));
    const auto add = [&](std::string_view text) { journal_.needles.AddText(text); };
    RETURN_IF_ERROR(
        ForEachString(*database, fmt::format("SELECT text FROM {} WHERE rhodes_removed(file_row_number)", scan), add));
    if (rows.masked.empty()) return absl::OkStatus();
    RETURN_IF_ERROR(RegisterRowSet(*database, "rhodes_masked", &rows.masked[0]));
    return ForEachString(
        *database, fmt::format("SELECT fields['quote_text'] FROM {} WHERE rhodes_masked(file_row_number)", scan), add);
  }

  // Reasons of rejects that tell what goes, in any source.
  absl::Status PlanRejects() {
    for (const SourceTable& source : sources_) {
      const std::string path = source.directory + "/" + kRejectsFile;
      if (journal_.needles.empty() || !PathExists(path)) continue;
      ASSIGN_OR_RETURN(const MappedFile file, MappedFile::Open(path));
      if (!journal_.needles.FindText(file.bytes()) && !journal_.needles.FindName(file.bytes())) continue;
      const std::string below = source.directory.substr(out_.size() + 1);
      RETURN_IF_ERROR(AddFile(below + "/" + kRejectsFile));
      RETURN_IF_ERROR(AddFile(below + "/manifest.json"));
    }
    return absl::OkStatus();
  }

  absl::Status AddFile(const std::string& below) {
    if (!PathExists(out_ + "/" + below)) return absl::OkStatus();
    ASSIGN_OR_RETURN(journal_.files[below], Sha256OfFile(out_ + "/" + below));
    return absl::OkStatus();
  }

  absl::Status FindSimilar(const EraseSelector& selector) {
    const std::string& name = selector.author.empty() ? selector.device : selector.author;
    if (name.empty()) return absl::OkStatus();
    std::set<std::string> similar;
    ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, Database::Open({}));
    for (const SourceTable& source : sources_) {
      ASSIGN_OR_RETURN(const SourceManifest manifest, ReadSourceManifest(source.directory));
      for (const PartInfo& part : manifest.parts) {
        RETURN_IF_ERROR(ForEachString(*database,
                                      fmt::format("SELECT DISTINCT author FROM read_parquet({}) WHERE lower(author) = "
                                                  "lower({}) LIMIT 5",
                                                  SqlLiteral(source.directory + "/" + part.file), SqlLiteral(name)),
                                      [&](std::string_view found) { similar.emplace(found); }));
      }
    }
    plan_.similar.assign(similar.begin(), similar.end());
    return absl::OkStatus();
  }

  absl::StatusOr<ErasePlan> Finish() {
    journal_.time = Now();
    SortUnique(journal_.records);
    SortUnique(journal_.masked);
    RETURN_IF_ERROR(PlanEntities());
    RETURN_IF_ERROR(PlanDocuments());
    RETURN_IF_ERROR(PlanShards());
    RETURN_IF_ERROR(PlanModels());
    ASSIGN_OR_RETURN(const std::vector<MerkleLeaf> leaves, RecordLeaves(out_, context_));
    const Sha256Digest root = ProveMerkle(leaves, {}).root;
    journal_.merkle = {{"root", ToHex({reinterpret_cast<const char*>(root.data()), root.size()})},
                       {"leaves", leaves.size()}};
    Json by_source = Json::object();
    uint64_t removed = 0;
    for (const auto& [source, count] : removed_by_source_) {
      by_source[source] = count;
      removed += count;
    }
    Json by_folder = Json::object();
    for (const auto& [name, folder] : journal_.folders) {
      if (folder.documents > 0) by_folder[name] = folder.documents;
    }
    journal_.counts = {{"records", removed},
                       {"by_source", by_source},
                       {"masked", journal_.masked.size()},
                       {"documents", journal_.documents.size()},
                       {"by_folder", by_folder},
                       {"trained_on", trained_on_}};
    plan_.journal = std::move(journal_);
    return std::move(plan_);
  }

  absl::Status PlanEntities() {
    if (!PathExists(out_ + "/entities")) return absl::OkStatus();
    ASSIGN_OR_RETURN(const std::vector<std::string> files, ListFiles(out_ + "/entities"));
    for (const std::string& file : files) RETURN_IF_ERROR(AddFile(file.substr(out_.size() + 1)));
    return absl::OkStatus();
  }

  // A document that was made from a masked record may hold what was quoted: it goes like one made from a record that
  // goes.
  absl::Status PlanDocuments() {
    for (const std::vector<std::string>* ids : {&journal_.records, &journal_.masked}) {
      for (const std::string& id : *ids) gone_.Insert(KeyOfId(id));
    }
    PartEdit edit;
    edit.prepare = [this](Database& database) { return RegisterIdSet(database, "rhodes_gone", &gone_); };
    edit.remove = "rhodes_gone(parents)";
    ASSIGN_OR_RETURN(folders_, ListDocumentFolders(out_));
    std::map<std::string, std::vector<EditedRows>> rows_of;
    for (const DocumentFolder& folder : folders_) {
      ASSIGN_OR_RETURN(std::vector<EditedRows> rows, FindRowsOfAll(folder.directory, folder.parts, edit, context_));
      EraseJournal::Folder& planned = journal_.folders[folder.name];
      for (size_t i = 0; i < rows.size(); ++i) {
        if (!rows[i].any()) continue;
        planned.documents += rows[i].removed_ids.size();
        journal_.documents.insert(journal_.documents.end(), rows[i].removed_ids.begin(), rows[i].removed_ids.end());
        RETURN_IF_ERROR(AddFile(folder.name + "/" + folder.parts[i]));
      }
      rows_of[folder.name] = std::move(rows);
    }
    SortUnique(journal_.documents);
    if (journal_.documents.empty()) {
      journal_.folders.clear();
      return absl::OkStatus();
    }
    for (auto& [name, folder] : journal_.folders) {
      ASSIGN_OR_RETURN(folder.counts, CountsWithout(out_, name, folders_, rows_of));
      if (!folder.counts.is_null()) RETURN_IF_ERROR(AddFile(name + "/manifest.json"));
    }
    rows_of_ = std::move(rows_of);
    return AddFile("answers.json");
  }

  absl::Status PlanShards() {
    const std::string directory = out_ + "/shards";
    if (journal_.documents.empty() || !PathExists(directory)) return absl::OkStatus();
    ASSIGN_OR_RETURN(const std::string made_from, FolderOfShards(out_, folders_));
    if (!made_from.empty() && journal_.folders[made_from].documents == 0) return absl::OkStatus();
    EraseJournal::Shards shards;
    const absl::StatusOr<Manifest> manifest = ReadManifest(directory);
    if (manifest.ok() && PathExists(out_ + "/tokenizer.json")) {
      shards.documents = made_from;
      shards.key = manifest->key;
      shards.settings = manifest->settings;
    }
    if (const absl::StatusOr<Manifest> trace = ReadManifest(out_ + "/trace"); trace.ok()) {
      shards.trace = true;
      shards.trace_key = trace->key;
      shards.trace_settings = trace->settings;
    }
    if (!made_from.empty()) RETURN_IF_ERROR(CountTrainedOn(made_from));
    for (const char* name : {"shards", "trace"}) {
      if (!PathExists(out_ + "/" + name)) continue;
      ASSIGN_OR_RETURN(const std::vector<std::string> files, ListFiles(out_ + "/" + name));
      for (const std::string& file : files) RETURN_IF_ERROR(AddFile(file.substr(out_.size() + 1)));
    }
    journal_.shards = std::move(shards);
    return absl::OkStatus();
  }

  // Of the documents that go, those in the training split.
  absl::Status CountTrainedOn(const std::string& made_from) {
    const absl::StatusOr<std::unique_ptr<ShardSet>> shards = ShardSet::Open(out_ + "/shards", "train");
    if (!shards.ok()) return absl::OkStatus();  // damaged shards are made again all the same
    std::vector<bool> goes;
    for (const EditedRows& part : rows_of_[made_from]) {
      goes.insert(goes.end(), part.removed.begin(), part.removed.end());
    }
    for (uint64_t d = 0; d < (*shards)->document_count(); ++d) {
      const uint64_t row = (*shards)->CorpusRow(d);
      trained_on_ += row < goes.size() && goes[row];
    }
    return absl::OkStatus();
  }

  absl::Status PlanModels() {
    journal_.models = Json::array();
    if (journal_.documents.empty()) return absl::OkStatus();
    const auto add = [&](const std::string& path, uint64_t documents, const char* what) -> absl::Status {
      if (!PathExists(out_ + "/" + path)) return absl::OkStatus();
      ASSIGN_OR_RETURN(const std::string hash, Sha256OfFile(out_ + "/" + path));
      journal_.models.push_back({{"path", path}, {"sha256", hash}, {"erased_documents", documents}, {"what", what}});
      return absl::OkStatus();
    };
    RETURN_IF_ERROR(add("model/model.safetensors", trained_on_, "weights trained on them"));
    RETURN_IF_ERROR(add("follow/first-model/model.safetensors", trained_on_, "weights that following began with"));
    const bool own = !journal_.shards || journal_.shards->settings.value("tokenizer", "").empty();
    const uint64_t in_corpus = journal_.folders.contains("corpus") ? journal_.folders["corpus"].documents : 0;
    if (own) RETURN_IF_ERROR(add("tokenizer.json", in_corpus, "vocabulary counted over them"));
    if (!PathExists(out_ + "/checkpoints")) return absl::OkStatus();
    ASSIGN_OR_RETURN(const std::vector<std::string> files, ListFiles(out_ + "/checkpoints"));
    for (const std::string& file : files) {
      if (!file.ends_with(".state")) continue;
      RETURN_IF_ERROR(add(file.substr(out_.size() + 1), trained_on_, "weights and optimizer state trained on them"));
    }
    return absl::OkStatus();
  }

  const std::string& out_;
  const RunContext& context_;
  ErasePlan plan_;
  EraseJournal journal_;
  std::vector<SourceTable> sources_;
  std::vector<DocumentFolder> folders_;
  std::map<std::string, std::vector<EditedRows>> rows_of_;
  std::map<std::string, uint64_t> removed_by_source_;
  IdSet gone_;
  uint64_t trained_on_ = 0;
};

}  // namespace

absl::StatusOr<ErasePlan> PlanErasure(const std::string& out, const EraseSelector& selector,
                                      const RunContext& context) {
  return Planner(out, context).Plan(selector);
}

absl::StatusOr<ErasePlan> PlanTakedowns(const std::string& out, const TakedownList& takedowns,
                                        const RunContext& context) {
  return Planner(out, context).Takedowns(takedowns);
}

absl::StatusOr<ErasePlan> PlanCascade(const std::string& out, const std::vector<std::string>& ids,
                                      const RunContext& context) {
  return Planner(out, context).Cascade(ids);
}

}  // namespace rhodes
