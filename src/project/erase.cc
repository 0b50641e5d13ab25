#include "project/erase.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>

#include "base/file.h"
#include "base/hash.h"
#include "base/manifest.h"
#include "entity/resolve.h"
#include "project/erase_proof.h"
#include "project/follow_state.h"
#include "project/out_lock.h"
#include "project/out_tables.h"
#include "project/remake.h"
#include "store/membership.h"
#include "store/rewrite.h"
#include "store/source_directory.h"
#include "table/part_list.h"

namespace rhodes {
namespace {

constexpr uint64_t kProofs = 1000;  // absence proofs in a receipt

IdSet SetOf(const std::vector<std::string>& ids) {
  IdSet set;
  for (const std::string& id : ids) set.Insert(KeyOfId(id));
  return set;
}

// Files that hold no text by what they are: compressed tables (looked at with SQL), numbers, weights.
bool HoldsNoText(const std::string& path) {
  for (const char* suffix : {".parquet", ".bin", ".idx", ".lineage", ".sa", ".state", ".safetensors", ".lock"}) {
    if (path.ends_with(suffix)) return true;
  }
  return false;
}

// Carries a journal out. Each step finds what is still to be done, so that all may be called again after a kill.
class Eraser {
 public:
  Eraser(const std::string& out, const EraseJournal& journal, RunContext& context)
      : out_(out),
        journal_(journal),
        context_(context),
        records_(SetOf(journal.records)),
        masked_(SetOf(journal.masked)),
        documents_(SetOf(journal.documents)) {}

  absl::StatusOr<Json> Run() {
    if (journal_.selector.value("kind", "") == kTakedowns) {
      ASSIGN_OR_RETURN(takedowns_, TakedownList::Load(out_));
    }
    RETURN_IF_ERROR(RemoveLitter(out_).status());
    if (!journal_.documents.empty()) RETURN_IF_ERROR(RemoveTree(out_ + "/answers.json"));
    context_.progress->Begin("erase records", 0, "");
    RETURN_IF_ERROR(Annotate(RewriteRecords(), "erase"));
    RETURN_IF_ERROR(Annotate(MakeEntities(), "erase"));
    context_.progress->Begin("erase documents", 0, "");
    RETURN_IF_ERROR(Annotate(RewriteDocuments(), "erase"));
    RETURN_IF_ERROR(Annotate(MakeShards(), "erase"));
    context_.progress->Begin("erase: look again", 0, "");
    RETURN_IF_ERROR(Annotate(ScanTexts(), "erase"));
    ASSIGN_OR_RETURN(Json receipt, MakeReceipt());
    if (!journal_.receipt.empty()) {
      const std::string parent = std::filesystem::path(journal_.receipt).parent_path().string();
      if (!parent.empty()) RETURN_IF_ERROR(CreateDirectories(parent));
      RETURN_IF_ERROR(WriteFileAtomically(journal_.receipt, DumpJson(receipt, 1) + "\n"));
    }
    RETURN_IF_ERROR(RemoveTree(JournalPath(out_)));
    RETURN_IF_ERROR(SyncPath(out_));
    context_.progress->End();
    return receipt;
  }

  const std::vector<std::string>& leftovers() const { return leftovers_; }

 private:
  absl::Status RewriteRecords() {
    ASSIGN_OR_RETURN(const std::vector<SourceTable> sources, ListSourceTables(out_));
    for (const SourceTable& source : sources) {
      RETURN_IF_ERROR(context_.CheckCancelled());
      const std::string below = source.directory.substr(out_.size() + 1);
      if (std::find(journal_.emptied.begin(), journal_.emptied.end(), below) != journal_.emptied.end()) {
        RETURN_IF_ERROR(EmptySource(source.directory, context_).status());
        if (!source.unused) RETURN_IF_ERROR(RemoveTree(fmt::format("{}/rejects/{}.jsonl", out_, source.name)));
        continue;
      }
      const auto first = journal_.files.lower_bound(below + "/");
      if (first == journal_.files.end() || !first->first.starts_with(below + "/")) continue;  // nothing of it goes
      SourceEdit edit;
      edit.rows.prepare = [this](Database& database) -> absl::Status {
        RETURN_IF_ERROR(RegisterIdSet(database, "rhodes_gone", &records_));
        return RegisterIdSet(database, "rhodes_quotes", &masked_);
      };
      edit.rows.remove = "rhodes_gone(id)";
      edit.rows.masks = {{fmt::format("rhodes_quotes(id) AND NOT {}", kMasked),
                          {{"fields", FieldsWithout(QuoteFields(), "quote")}, {"original", "NULL"}}}};
      if (takedowns_) RestrictToPlan(takedowns_->Edit(), edit.rows);
      if (!journal_.needles.empty()) edit.tells = [this](std::string_view line) { return Tells(line); };
      RETURN_IF_ERROR(RewriteSource(source.directory, edit, context_).status());
    }
    return absl::OkStatus();
  }

  // What the notices ask for, of the records that the plan names: the list may have grown since.
  void RestrictToPlan(PartEdit notices, PartEdit& edit) const {
    edit.prepare = [planned = std::move(edit.prepare), tables = std::move(notices.prepare)](Database& database) {
      const absl::Status status = planned(database);
      return status.ok() ? tables(database) : status;
    };
    edit.masks = std::move(notices.masks);
    for (PartEdit::Mask& mask : edit.masks) mask.where = fmt::format("rhodes_quotes(id) AND ({})", mask.where);
  }

  // A reason that was taken out already tells nothing.
  bool Tells(std::string_view line) const { return journal_.needles.FindText(line) || journal_.needles.FindName(line); }

  // From the records that are left. Where that cannot be done (a file of labels is gone) they go: `rhodes run` makes
  // them again, and what was erased must not stay in them.
  absl::Status MakeEntities() {
    if (!PathExists(out_ + "/entities")) return absl::OkStatus();
    const absl::Status made = ResolveAgain(out_, context_).status();
    if (made.ok() || ExitCodeOf(made) == ExitCode::kInterrupted || absl::IsResourceExhausted(made)) return made;
    context_.progress->Say(fmt::format("entities are removed, for they cannot be made again: {}", Message(made)));
    return RemoveTree(out_ + "/entities");
  }

  absl::Status RewriteDocuments() {
    if (!journal_.documents.empty()) RETURN_IF_ERROR(RemoveCycle());
    ASSIGN_OR_RETURN(std::vector<DocumentFolder> folders, ListDocumentFolders(out_));
    // The manifest with the kept documents counts the dropped ones too, so it comes after them.
    std::stable_sort(folders.begin(), folders.end(), [](const DocumentFolder& a, const DocumentFolder& b) {
      return (a.name == "dropped") > (b.name == "dropped");
    });
    for (const DocumentFolder& folder : folders) {
      const auto planned = journal_.folders.find(folder.name);
      if (planned != journal_.folders.end()) RETURN_IF_ERROR(RewriteFolder(folder, planned->second));
    }
    return absl::OkStatus();
  }

  // Text of a cycle of following that is at work: with any of it, all goes, and the cycle begins anew.
  absl::Status RemoveCycle() {
    const std::string next = NextDirectory(out_);
    for (const char* folder : {"corpus", "dropped"}) {
      const std::string directory = fmt::format("{}/{}", next, folder);
      if (!PathExists(directory)) continue;
      const absl::StatusOr<std::vector<IdKey>> ids = ReadDocumentIds(directory);
      if (ids.ok() && std::none_of(ids->begin(), ids->end(), [&](IdKey id) { return documents_.Contains(id); })) {
        continue;
      }
      // Out of the trainer's reach first: while its folder is emptied, it may write a checkpoint into it.
      const std::string voided = VoidedDirectory(out_);
      RETURN_IF_ERROR(RemoveTree(voided));
      RETURN_IF_ERROR(Rename(next, voided));
      return RemoveTree(voided);
    }
    return absl::OkStatus();
  }

  absl::Status RewriteFolder(const DocumentFolder& folder, const EraseJournal::Folder& planned) {
    RETURN_IF_ERROR(context_.CheckCancelled());
    PartEdit edit;
    edit.prepare = [this](Database& database) { return RegisterIdSet(database, "rhodes_gone", &documents_); };
    edit.remove = "rhodes_gone(id)";
    std::vector<EditedRows> rows(folder.parts.size());
    if (planned.documents > 0) {
      ASSIGN_OR_RETURN(rows, FindRowsOfAll(folder.directory, folder.parts, edit, context_));
    }
    const bool any = std::any_of(rows.begin(), rows.end(), [](const EditedRows& part) { return part.any(); });
    const absl::StatusOr<Manifest> manifest = ReadManifest(folder.directory);
    const bool counted = planned.counts.is_null() || !manifest.ok() || manifest->counts == planned.counts;
    if (!any) return counted ? absl::OkStatus() : WriteCounts(folder.directory, *manifest, planned.counts, {});
    ASSIGN_OR_RETURN(StagedDirectory staged, StagedDirectory::Open(folder.directory));
    ASSIGN_OR_RETURN(const std::vector<PartInfo> written,
                     WriteAllEdited(folder.directory, staged.path(), folder.parts, edit, rows, context_));
    if (manifest.ok()) {
      std::vector<PartInfo> changed;
      std::copy_if(written.begin(), written.end(), std::back_inserter(changed),
                   [](const PartInfo& part) { return !part.sha256.empty(); });
      RETURN_IF_ERROR(WriteCounts(staged.path(), *manifest, planned.counts, changed));
    }
    return staged.Commit();
  }

  // The manifest with new counts, and new hashes of the parts that changed.
  absl::Status WriteCounts(const std::string& directory, Manifest manifest, const Json& counts,
                           const std::vector<PartInfo>& changed) {
    if (!counts.is_null()) manifest.counts = counts;
    if (manifest.extra.contains("files")) {
      ASSIGN_OR_RETURN(std::vector<PartInfo> parts, PartsFromJson(manifest.extra["files"], directory));
      for (PartInfo& part : parts) {
        const auto it = std::find_if(changed.begin(), changed.end(),
                                     [&](const PartInfo& written) { return written.file == part.file; });
        if (it != changed.end()) part = *it;
      }
      manifest.extra["files"] = PartsToJson(parts);
    }
    if (manifest.extra.contains("dropped_files")) {
      ASSIGN_OR_RETURN(std::vector<PartInfo> parts, PartsFromJson(manifest.extra["dropped_files"], directory));
      for (PartInfo& part : parts) {
        if (!journal_.files.contains("dropped/" + part.file)) continue;
        ASSIGN_OR_RETURN(part.rows, CountRows(out_ + "/dropped", {part.file}));
        ASSIGN_OR_RETURN(part.bytes, FileSize(out_ + "/dropped/" + part.file));
        ASSIGN_OR_RETURN(part.sha256, Sha256OfFile(out_ + "/dropped/" + part.file));
      }
      manifest.extra["dropped_files"] = PartsToJson(parts);
    }
    return WriteManifest(directory, manifest);
  }

  absl::Status MakeShards() {
    if (!journal_.shards) return absl::OkStatus();
    const EraseJournal::Shards& shards = *journal_.shards;
    uint64_t left = 0;
    if (!shards.documents.empty()) {
      ASSIGN_OR_RETURN(const std::vector<DocumentFolder> folders, ListDocumentFolders(out_));
      for (const DocumentFolder& folder : folders) {
        if (folder.name != shards.documents) continue;
        ASSIGN_OR_RETURN(left, CountRows(folder.directory, folder.parts));
      }
    }
    if (left < 2) {  // as few cannot be split into training and validation
      RETURN_IF_ERROR(RemoveTree(out_ + "/trace"));
      return RemoveTree(out_ + "/shards");
    }
    RETURN_IF_ERROR(RemakeShards(out_, shards.documents, shards.key, shards.settings, context_));
    if (!shards.trace) return absl::OkStatus();
    return RemakeTrace(out_, shards.documents, shards.trace_key, shards.trace_settings, context_);
  }

  // Files of text in OUT that hold what was erased all the same: what a model said while it was trained, answers.
  absl::Status ScanTexts() {
    if (PathExists(out_ + "/damaged")) leftovers_.push_back("damaged/ (files that could not be read)");
    if (journal_.needles.empty()) return absl::OkStatus();
    // A trainer of a cycle at work gives its files other names meanwhile: what has gone is looked for again.
    constexpr int kMostTimes = 100;
    std::set<std::string> seen;
    bool again = true;
    for (int times = 0; again && times < kMostTimes; ++times) {
      again = false;
      const absl::StatusOr<std::vector<std::string>> files = ListFiles(out_);
      if (absl::IsNotFound(files.status()) && PathExists(out_)) {
        again = true;
        continue;
      }
      RETURN_IF_ERROR(files.status());
      for (const std::string& file : *files) {
        if (seen.contains(file) || HoldsNoText(file) || file == JournalPath(out_)) continue;
        RETURN_IF_ERROR(context_.CheckCancelled());
        const absl::Status scanned = ScanFile(file);
        if (absl::IsNotFound(scanned) && !PathExists(file)) {
          again = true;
          continue;
        }
        RETURN_IF_ERROR(scanned);
        seen.insert(file);
      }
    }
    return again ? absl::UnavailableError(fmt::format("files of {} come and go; stop what writes there", out_))
                 : absl::OkStatus();
  }

  absl::Status ScanFile(const std::string& file) {
    ASSIGN_OR_RETURN(const MappedFile mapped, MappedFile::Open(file));
    if (!journal_.needles.FindText(mapped.bytes())) return absl::OkStatus();
    const std::string below = file.substr(out_.size() + 1);
    if (below == "metrics.jsonl") return MaskMetrics(file);
    if (below == "answers.json") return RemoveTree(file);
    leftovers_.push_back(below);
    return absl::OkStatus();
  }

  absl::Status MaskMetrics(const std::string& path) const {
    ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
    std::string kept;
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = std::min(text.find('\n', begin), text.size());
      const std::string_view line = std::string_view(text).substr(begin, end - begin);
      begin = end + 1;
      Json json = journal_.needles.FindText(line) ? Json::parse(line, nullptr, false) : Json();
      if (json.is_object()) {
        for (auto& [name, value] : json.items()) {
          if (value.is_string()) value = Suppression::kReason;
        }
        kept += DumpJson(json);
      } else {
        kept += line;
      }
      kept += '\n';
    }
    return WriteFileAtomically(path, kept);
  }

  absl::StatusOr<Json> MakeReceipt() {
    ASSIGN_OR_RETURN(const std::vector<MerkleLeaf> leaves, RecordLeaves(out_, context_));
    Json merkle = {{"hash", "SHA-256"},
                   {"tree", "RFC 6962: leaf 0x00 || id, node 0x01 || left || right"},
                   {"leaf", "the 16 bytes of a record's id; sorted, each once"},
                   {"before", journal_.merkle}};
    const Json after = ProveAbsence(leaves, journal_.records, kProofs);
    for (const auto& [name, value] : after.items()) merkle[name] = value;
    Json files = Json::array();
    ASSIGN_OR_RETURN(const std::set<std::string> candidates, Candidates());
    for (const std::string& file : candidates) {
      const auto before = journal_.files.find(file);
      Json change = {{"file", file}, {"before", nullptr}, {"after", nullptr}};
      if (before != journal_.files.end()) change["before"] = before->second;
      if (PathExists(out_ + "/" + file)) {
        ASSIGN_OR_RETURN(const std::string hash, Sha256OfFile(out_ + "/" + file));
        change["after"] = hash;
      }
      if (change["before"] != change["after"]) files.push_back(std::move(change));
    }
    Json counts = journal_.counts;
    return Json{{"format", kReceiptFormat},    {"program", fmt::format("rhodes {}", Version())},
                {"time", journal_.time},       {"selector", journal_.selector},
                {"counts", std::move(counts)}, {"records", journal_.records},
                {"masked", journal_.masked},   {"documents", journal_.documents},
                {"files", std::move(files)},   {"merkle", std::move(merkle)},
                {"models", journal_.models},   {"leftovers", leftovers_}};
  }

  // Files whose hashes the receipt tells: those that might change, and those that were made instead.
  absl::StatusOr<std::set<std::string>> Candidates() const {
    std::set<std::string> files;
    for (const auto& [file, hash] : journal_.files) files.insert(file);
    std::vector<std::string> made_again = {"entities"};
    if (journal_.shards) made_again.insert(made_again.end(), {"shards", "trace"});
    for (const std::string& name : made_again) {
      if (!PathExists(out_ + "/" + name)) continue;
      ASSIGN_OR_RETURN(const std::vector<std::string> made, ListFiles(out_ + "/" + name));
      for (const std::string& file : made) files.insert(file.substr(out_.size() + 1));
    }
    return files;
  }

  static constexpr char kMasked[] = "coalesce(fields['masked'] LIKE '%quote%', false)";

  const std::string& out_;
  const EraseJournal& journal_;
  RunContext& context_;
  const IdSet records_;
  const IdSet masked_;
  const IdSet documents_;
  std::optional<TakedownList> takedowns_;  // when they ask for it
  std::vector<std::string> leftovers_;
};

absl::StatusOr<Json> CarryOut(const std::string& out, const EraseJournal& journal, RunContext& context) {
  Eraser eraser(out, journal, context);
  ASSIGN_OR_RETURN(Json receipt, eraser.Run());
  if (eraser.leftovers().empty()) return receipt;
  std::string list;
  for (const std::string& file : eraser.leftovers()) list += fmt::format("\n  {}/{}", out, file);
  return absl::FailedPreconditionError(
      "erase: all is done, but these may hold a text that was erased; look at them and remove them:" + list);
}

std::string Trimmed(std::string out) {
  while (out.size() > 1 && out.back() == '/') out.pop_back();
  return out;
}

absl::Status RequireOut(const std::string& out) {
  if (PathExists(out + "/records") || PathExists(out + "/documents") || PathExists(out + "/corpus")) {
    return absl::OkStatus();
  }
  return absl::NotFoundError(fmt::format("erase: {} holds no records; name the folder that --out wrote to", out));
}

// The receipt says whose records went to those alone who know the name and OUT's salt.
absl::Status AddNameHash(const std::string& out, const EraseSelector& selector, Json& json) {
  const std::string& name = selector.author.empty() ? selector.device : selector.author;
  if (name.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::string salt, Suppression::Salt(out));
  json["hmac_sha256"] = Suppression::NameHash(salt, json.value("kind", ""), name);
  return absl::OkStatus();
}

// The sources whose records were stored before the last notices came, and what their manifests say of that.
absl::StatusOr<std::vector<std::pair<std::string, ObeyedTakedowns>>> DisobeyingSources(const std::string& out,
                                                                                       const TakedownList& takedowns) {
  std::vector<std::pair<std::string, ObeyedTakedowns>> pending;
  if (takedowns.empty()) return pending;
  ASSIGN_OR_RETURN(const std::vector<SourceTable> sources, ListSourceTables(out));
  for (const SourceTable& source : sources) {
    ASSIGN_OR_RETURN(ObeyedTakedowns obeyed, ReadObeyedTakedowns(source.directory));
    if (obeyed.version != takedowns.version()) pending.emplace_back(source.directory, std::move(obeyed));
  }
  return pending;
}

std::string ReceiptPath(const std::string& out, const EraseOptions& options, const std::string& time) {
  std::error_code error;
  const std::string path = options.receipt.empty() ? fmt::format("{}/erasures/{}.json", out, time) : options.receipt;
  return std::filesystem::absolute(path, error).lexically_normal().string();
}

}  // namespace

absl::StatusOr<Json> Erase(const EraseOptions& options, RunContext& context) {
  const std::string out = Trimmed(options.out);
  RETURN_IF_ERROR(RequireOut(out));
  ASSIGN_OR_RETURN(const OutLock lock, OutLock::Acquire(out));
  RETURN_IF_ERROR(FinishErasure(out, context).status());
  if (!options.dry_run) RETURN_IF_ERROR(RemoveLitter(out).status());
  ASSIGN_OR_RETURN(ErasePlan plan, PlanErasure(out, options.selector, context));
  if (!plan.similar.empty()) {
    std::string names;
    for (const std::string& name : plan.similar) names += fmt::format("{}\"{}\"", names.empty() ? "" : ", ", name);
    context.progress->Say(fmt::format("no record has exactly this name; there is {}", names));
  }
  if (options.dry_run) {
    return Json{{"dry_run", true},
                {"selector", plan.journal.selector},
                {"counts", plan.journal.counts},
                {"records", plan.journal.records},
                {"masked", plan.journal.masked},
                {"documents", plan.journal.documents},
                {"files", Json(plan.journal.files)},
                {"models", plan.journal.models},
                {"similar", plan.similar}};
  }
  RETURN_IF_ERROR(AddNameHash(out, options.selector, plan.journal.selector));
  // First of all, so that nothing that goes can come back by an ingest at any later instant.
  RETURN_IF_ERROR(Suppression::Add(out, plan.suppress));
  plan.journal.receipt = ReceiptPath(out, options, plan.journal.time);
  RETURN_IF_ERROR(WriteJournal(out, plan.journal));
  return CarryOut(out, plan.journal, context);
}

absl::StatusOr<Json> FinishErasure(const std::string& out, RunContext& context) {
  RETURN_IF_ERROR(FinishExchange(out));
  const absl::StatusOr<EraseJournal> journal = ReadJournal(out);
  if (absl::IsNotFound(journal.status())) return Json();
  RETURN_IF_ERROR(journal.status());
  context.progress->Say("going on with an erasure that was interrupted");
  return CarryOut(out, *journal, context);
}

absl::StatusOr<Json> ResumeErasure(const std::string& out, RunContext& context) {
  RETURN_IF_ERROR(RequireOut(out));
  ASSIGN_OR_RETURN(const OutLock lock, OutLock::Acquire(out));
  return FinishErasure(Trimmed(out), context);
}

absl::StatusOr<bool> TakedownsPending(const std::string& out) {
  ASSIGN_OR_RETURN(const TakedownList takedowns, TakedownList::Load(out));
  ASSIGN_OR_RETURN(const auto pending, DisobeyingSources(out, takedowns));
  return !pending.empty();
}

absl::StatusOr<TakedownReport> CarryOutTakedowns(const std::string& out, RunContext& context) {
  TakedownReport report;
  RETURN_IF_ERROR(FinishErasure(out, context).status());
  // The second look finds nothing, unless another run stores what notices name at the same time.
  for (int look = 0; look < 8; ++look) {
    ASSIGN_OR_RETURN(const TakedownList takedowns, TakedownList::Load(out));
    ASSIGN_OR_RETURN(const auto pending, DisobeyingSources(out, takedowns));
    if (pending.empty()) return report;
    ASSIGN_OR_RETURN(const ErasePlan plan, PlanTakedowns(out, takedowns, context));
    const EraseJournal& journal = plan.journal;
    if (journal.records.empty() && journal.masked.empty()) {
      // Last of all, when a look at all records found nothing: a kill before means another look.
      for (const auto& [directory, seen] : pending) {
        RETURN_IF_ERROR(SetObeyedTakedowns(directory, seen, takedowns.version()));
      }
      return report;
    }
    report.records += journal.records.size();
    report.masked += journal.masked.size();
    report.documents += journal.documents.size();
    RETURN_IF_ERROR(WriteJournal(out, journal));
    RETURN_IF_ERROR(CarryOut(out, journal, context).status());
  }
  return report;
}

absl::StatusOr<TakedownReport> ApplyTakedowns(const std::string& out, RunContext& context) {
  const std::string folder = Trimmed(out);
  ASSIGN_OR_RETURN(const bool pending, TakedownsPending(folder));
  if (!pending && !PathExists(JournalPath(folder))) return TakedownReport{};
  ASSIGN_OR_RETURN(const OutLock lock, OutLock::Acquire(folder));
  return CarryOutTakedowns(folder, context);
}

absl::StatusOr<uint64_t> EraseRecordIds(const std::string& out, const std::vector<std::string>& ids,
                                        RunContext& context) {
  if (ids.empty()) return 0;
  RETURN_IF_ERROR(FinishErasure(out, context).status());
  ASSIGN_OR_RETURN(const ErasePlan plan, PlanCascade(out, ids, context));
  if (plan.journal.documents.empty()) return 0;
  RETURN_IF_ERROR(WriteJournal(out, plan.journal));
  RETURN_IF_ERROR(CarryOut(out, plan.journal, context).status());
  return plan.journal.documents.size();
}

std::string FormatReceipt(const Json& receipt, const std::string& path) {
  const Json& counts = receipt["counts"];
  const auto count = [&](const char* name) { return counts.value(name, uint64_t{0}); };
  const bool dry = receipt.value("dry_run", false);
  std::string text = fmt::format("{}: {} records, {} masked, {} documents\n", dry ? "would be erased" : "erased",
                                 count("records"), count("masked"), count("documents"));
  for (const char* group : {"by_source", "by_folder"}) {
    const Json shares = counts.value(group, Json::object());
    for (const auto& [name, number] : shares.items()) {
      text += fmt::format("  {:<40} {:>10}\n", name, number.get<uint64_t>());
    }
  }
  if (receipt.contains("files")) {
    text += fmt::format("{} {}\n", receipt["files"].size(), dry ? "files would change" : "files changed or gone");
  }
  const Json models = receipt.value("models", Json::array());
  for (const Json& model : models) {
    text += fmt::format("{} stays: {} ({} of the erased documents)\n", model.value("path", ""), model.value("what", ""),
                        model.value("erased_documents", uint64_t{0}));
  }
  if (!path.empty()) text += fmt::format("receipt: {}\n", path);
  return text;
}

}  // namespace rhodes
