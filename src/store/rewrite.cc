#include "store/rewrite.h"

#include <algorithm>
#include <filesystem>
#include <optional>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/line_writer.h"
#include "store/id_set.h"
#include "store/source_directory.h"
#include "store/source_lock.h"

namespace rhodes {
namespace {

// Calls `take(line)` for each line of the first `bytes` bytes of a log.
template <typename Take>
absl::Status ForLines(const std::string& path, uint64_t bytes, const Take& take) {
  if (bytes == 0 || !PathExists(path)) return absl::OkStatus();
  ASSIGN_OR_RETURN(const MappedFile file, MappedFile::Open(path));
  std::string_view rest = file.bytes().substr(0, bytes);
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    if (end > 0) take(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return absl::OkStatus();
}

// The id of a line of duplicates.jsonl, which begins with it.
std::string_view IdOfLine(std::string_view line) {
  constexpr std::string_view kBegin = "{\"id\":\"";
  if (!line.starts_with(kBegin)) return {};
  line.remove_prefix(kBegin.size());
  return line.substr(0, line.find('"'));
}

std::string WithoutReason(std::string_view line) {
  Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return "{\"reason\":\"erased on request\"}";
  json["reason"] = "erased on request";
  return DumpJson(json);
}

class SourceRewriter {
 public:
  SourceRewriter(std::string directory, const RunContext& context)
      : directory_(std::move(directory)), context_(context) {}

  absl::StatusOr<RewriteReport> Edit(const SourceEdit& edit) {
    RETURN_IF_ERROR(Start(!edit.locked));
    std::vector<std::string> names;
    for (const PartInfo& part : before_.parts) names.push_back(part.file);
    ASSIGN_OR_RETURN(const std::vector<EditedRows> rows, FindRowsOfAll(directory_, names, edit.rows, context_));
    for (const EditedRows& part : rows) {
      report_.removed.insert(report_.removed.end(), part.removed_ids.begin(), part.removed_ids.end());
      report_.masked.insert(report_.masked.end(), part.masked_ids.begin(), part.masked_ids.end());
    }
    RETURN_IF_ERROR(CountLines(edit));
    if (report_.removed.empty() && report_.masked.empty() && report_.rejects == 0) return std::move(report_);
    RETURN_IF_ERROR(WriteParts(names, edit.rows, rows));
    RETURN_IF_ERROR(WriteDuplicates());
    RETURN_IF_ERROR(WriteRejects(edit));
    RETURN_IF_ERROR(CopyLog(kFilesFile, before_.files_bytes, after_.files_bytes));
    AddCount("erased", report_.removed.size());
    AddCount("erased_duplicates", report_.duplicates);
    return Commit();
  }

  absl::StatusOr<RewriteReport> Empty() {
    RETURN_IF_ERROR(Start(true));
    PartEdit all;
    all.remove = "true";
    std::vector<std::string> names;
    for (const PartInfo& part : before_.parts) names.push_back(part.file);
    ASSIGN_OR_RETURN(const std::vector<EditedRows> rows, FindRowsOfAll(directory_, names, all, context_));
    for (const EditedRows& part : rows) {
      report_.removed.insert(report_.removed.end(), part.removed_ids.begin(), part.removed_ids.end());
    }
    after_.parts.clear();
    after_.duplicates_bytes = after_.rejects_bytes = after_.files_bytes = 0;
    Json& counts = after_.manifest.counts;
    if (!counts.is_object()) counts = Json::object();
    const uint64_t stored = counts.value("stored", uint64_t{0});
    counts = {{"read", stored},  {"stored", stored}, {"duplicates", 0},  {"rejected", 0},         {"bytes", 0},
              {"text_bytes", 0}, {"known", 0},       {"erased", stored}, {"erased_duplicates", 0}};
    return Commit();
  }

 private:
  // Ends what a killed run left, and reads the manifest.
  absl::Status Start(bool lock) {
    while (directory_.size() > 1 && directory_.back() == '/') directory_.pop_back();
    const std::filesystem::path path(directory_);
    if (lock) {
      ASSIGN_OR_RETURN(SourceLock taken, SourceLock::Take(path.parent_path().string(), path.filename().string()));
      lock_.emplace(std::move(taken));
    }
    ASSIGN_OR_RETURN(StagedDirectory staged, StagedDirectory::Open(directory_));
    staged_.emplace(std::move(staged));
    ASSIGN_OR_RETURN(before_, ReadSourceManifest(directory_));
    after_ = before_;
    return absl::OkStatus();
  }

  absl::Status CountLines(const SourceEdit& edit) {
    for (const std::string& id : report_.removed) removed_.Insert(KeyOfId(id));
    if (removed_.size() > 0) {
      RETURN_IF_ERROR(ForLines(directory_ + "/" + kDuplicatesFile, before_.duplicates_bytes,
                               [&](std::string_view line) { report_.duplicates += Goes(line); }));
    }
    if (!edit.tells) return absl::OkStatus();
    return ForLines(directory_ + "/" + kRejectsFile, before_.rejects_bytes,
                    [&](std::string_view line) { report_.rejects += edit.tells(line); });
  }

  bool Goes(std::string_view duplicate) const { return removed_.Contains(KeyOfId(IdOfLine(duplicate))); }

  absl::Status WriteParts(const std::vector<std::string>& names, const PartEdit& edit,
                          const std::vector<EditedRows>& rows) {
    ASSIGN_OR_RETURN(const std::vector<PartInfo> written,
                     WriteAllEdited(directory_, staged_->path(), names, edit, rows, context_));
    after_.parts.clear();
    for (size_t i = 0; i < names.size(); ++i) {
      if (!rows[i].any()) {
        after_.parts.push_back(before_.parts[i]);
      } else if (written[i].rows > 0) {
        after_.parts.push_back(written[i]);
      } else {
        RETURN_IF_ERROR(RemoveTree(staged_->path() + "/" + names[i]));
      }
    }
    return absl::OkStatus();
  }

  absl::Status WriteDuplicates() {
    if (report_.duplicates == 0) return CopyLog(kDuplicatesFile, before_.duplicates_bytes, after_.duplicates_bytes);
    const std::string target = staged_->path() + "/" + kDuplicatesFile;
    ASSIGN_OR_RETURN(LineWriter log, LineWriter::Create(target));
    RETURN_IF_ERROR(ForLines(directory_ + "/" + kDuplicatesFile, before_.duplicates_bytes, [&](std::string_view line) {
      if (!Goes(line)) log.Write(line);
    }));
    RETURN_IF_ERROR(log.Close());
    ASSIGN_OR_RETURN(after_.duplicates_bytes, FileSize(target));
    return absl::OkStatus();
  }

  absl::Status WriteRejects(const SourceEdit& edit) {
    if (report_.rejects == 0) return CopyLog(kRejectsFile, before_.rejects_bytes, after_.rejects_bytes);
    const std::string target = staged_->path() + "/" + kRejectsFile;
    ASSIGN_OR_RETURN(LineWriter log, LineWriter::Create(target));
    RETURN_IF_ERROR(ForLines(directory_ + "/" + kRejectsFile, before_.rejects_bytes, [&](std::string_view line) {
      log.Write(edit.tells(line) ? std::string_view(WithoutReason(line)) : line);
    }));
    RETURN_IF_ERROR(log.Close());
    ASSIGN_OR_RETURN(after_.rejects_bytes, FileSize(target));
    return absl::OkStatus();
  }

  // What follows the committed bytes is left behind.
  absl::Status CopyLog(const char* name, uint64_t committed, uint64_t& bytes) {
    const std::string source = directory_ + "/" + name;
    bytes = committed;
    if (!PathExists(source)) return absl::OkStatus();
    ASSIGN_OR_RETURN(const uint64_t size, FileSize(source));
    if (size == committed) return LinkOrCopy(source, staged_->path() + "/" + name);
    ASSIGN_OR_RETURN(const MappedFile file, MappedFile::Open(source));
    return WriteFileAtomically(staged_->path() + "/" + name, file.bytes().substr(0, committed));
  }

  void AddCount(const char* name, uint64_t more) {
    Json& counts = after_.manifest.counts;
    if (!counts.is_object()) counts = Json::object();
    counts[name] = counts.value(name, uint64_t{0}) + more;
  }

  absl::StatusOr<RewriteReport> Commit() {
    RETURN_IF_ERROR(WriteSourceManifest(staged_->path(), after_));
    RETURN_IF_ERROR(ListChanges());
    RETURN_IF_ERROR(staged_->Commit());
    return std::move(report_);
  }

  absl::Status ListChanges() {
    const auto hash_of = [](const std::vector<PartInfo>& parts, const std::string& file) -> std::string {
      const auto it = std::find_if(parts.begin(), parts.end(), [&](const PartInfo& part) { return part.file == file; });
      return it == parts.end() ? "" : it->sha256;
    };
    for (const PartInfo& part : before_.parts) {
      const std::string after = hash_of(after_.parts, part.file);
      if (after != part.sha256) report_.files.push_back({part.file, part.sha256, after});
    }
    for (const char* name : {kDuplicatesFile, kFilesFile, "manifest.json", kRejectsFile}) {
      FileChange change{name, "", ""};
      const std::string old_path = directory_ + "/" + name;
      const std::string new_path = staged_->path() + "/" + name;
      if (PathExists(old_path)) {
        ASSIGN_OR_RETURN(change.before, Sha256OfFile(old_path));
      }
      if (PathExists(new_path)) {
        ASSIGN_OR_RETURN(change.after, Sha256OfFile(new_path));
      }
      if (change.before != change.after) report_.files.push_back(std::move(change));
    }
    std::sort(report_.files.begin(), report_.files.end(),
              [](const FileChange& a, const FileChange& b) { return a.file < b.file; });
    return absl::OkStatus();
  }

  std::string directory_;
  const RunContext& context_;
  std::optional<SourceLock> lock_;
  std::optional<StagedDirectory> staged_;
  SourceManifest before_;
  SourceManifest after_;
  IdSet removed_;
  RewriteReport report_;
};

}  // namespace

absl::StatusOr<RewriteReport> RewriteSource(const std::string& directory, const SourceEdit& edit,
                                            const RunContext& context) {
  absl::StatusOr<RewriteReport> report = SourceRewriter(directory, context).Edit(edit);
  return report.ok() ? std::move(report) : Annotate(report.status(), "rewrite");
}

absl::StatusOr<RewriteReport> EmptySource(const std::string& directory, const RunContext& context) {
  absl::StatusOr<RewriteReport> report = SourceRewriter(directory, context).Empty();
  return report.ok() ? std::move(report) : Annotate(report.status(), "rewrite");
}

}  // namespace rhodes
