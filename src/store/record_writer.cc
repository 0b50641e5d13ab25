#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <optional>
#include <set>

#include "base/base64.h"
#include "base/file.h"
#include "record/record_table.h"
#include "store/id_window.h"
#include "store/line_log.h"
#include "store/part_merge.h"
#include "store/record_store.h"
#include "store/source_directory.h"
#include "store/source_lock.h"
#include "store/suppression.h"
#include "store/takedown_list.h"
#include "table/database.h"

namespace rhodes {
namespace {

Json CountsJson(const IngestCounts& counts, uint64_t text_bytes) {
  return {{"read", counts.read},         {"stored", counts.stored}, {"duplicates", counts.duplicates},
          {"rejected", counts.rejected}, {"bytes", counts.bytes},   {"text_bytes", text_bytes},
          {"known", counts.known}};
}

class Writer final : public RecordWriter {
 public:
  Writer(std::string out, std::string source, Mode mode)
      : out_(std::move(out)), source_(std::move(source)), mode_(mode) {}

  ~Writer() override {
    if (committed_ || mode_ == Mode::kReplace) return;
    // Waits for parts that are still being written, and writes what the logs' buffers hold.
    parts_.reset();
    duplicates_.reset();
    rejects_.reset();
    files_.reset();
    // Only litter is left behind when this fails; the next Open() removes it.
    RemoveUncommitted(directory_, before_).IgnoreError();
    if (before_.parts.empty() && !PathExists(directory_ + "/manifest.json")) RemoveTree(directory_).IgnoreError();
  }

  absl::Status Start(const RunContext& context) {
    RETURN_IF_ERROR(CheckSourceName(out_, source_));
    RETURN_IF_ERROR(CreateDirectories(out_ + "/records"));
    RETURN_IF_ERROR(CreateDirectories(out_ + "/rejects"));
    ASSIGN_OR_RETURN(SourceLock lock, SourceLock::Take(out_ + "/records", source_));
    lock_.emplace(std::move(lock));
    if (mode_ == Mode::kFollow) ids_ = IdWindow(context.memory_bytes / 4 / IdWindow::kBytesPerId);
    ASSIGN_OR_RETURN(erased_, Suppression::Load(out_));
    ASSIGN_OR_RETURN(takedowns_, TakedownList::Load(out_));
    const std::string target = out_ + "/records/" + source_;
    ASSIGN_OR_RETURN(StagedDirectory staged, StagedDirectory::Open(target));  // ends a replacement that was killed
    if (mode_ == Mode::kReplace) {
      directory_ = staged.path();
      staged_.emplace(std::move(staged));
    } else {
      directory_ = target;
      RETURN_IF_ERROR(OpenExisting());
    }
    ASSIGN_OR_RETURN(duplicates_, LineLog::Open(directory_ + "/" + kDuplicatesFile));
    ASSIGN_OR_RETURN(rejects_, LineLog::Open(directory_ + "/" + kRejectsFile));
    ASSIGN_OR_RETURN(files_, LineLog::Open(directory_ + "/" + kFilesFile));
    // Half of the budget is the reader's.
    const auto affordable = static_cast<int>(context.memory_bytes / 2 / RecordPartWriter::kMemoryPerPart) - 1;
    compressing_ = std::clamp(affordable, 0, 2);
    return OpenParts();
  }

  absl::Status Append(Record record) override {
    RETURN_IF_ERROR(broken_);
    record.source = source_;
    if (record.takedown) {
      takedowns_.Add(*record.takedown);
      new_takedowns_.push_back(*record.takedown);
    } else if (std::string reason; takedowns_.Apply(record, reason)) {
      return AddReject({record.origin, std::move(reason)});
    }
    if (erased_.Apply(record)) return AddReject({std::move(record.origin), Suppression::kReason});
    ++counts_.read;
    if (!ids_.Insert(KeyOfId(record.id))) {
      ++counts_.duplicates;
      return broken_ = duplicates_->Write(fmt::format("{{\"id\":\"{}\",{}}}\n", record.id, OriginJson(record.origin)));
    }
    ++counts_.stored;
    text_bytes_ += record.text.size();
    open_bytes_ += RecordBytes(record);
    if (record.reader != last_reader_) readers_.insert(last_reader_ = record.reader);
    return broken_ = parts_->Append(record);
  }

  absl::Status AddReject(Reject reject) override {
    RETURN_IF_ERROR(broken_);
    ++counts_.read;
    ++counts_.rejected;
    std::string line = fmt::format("{{{},\"reason\":{}", OriginJson(reject.origin), DumpJson(Json(reject.reason)));
    if (!reject.bytes.empty()) line += fmt::format(",\"bytes\":\"{}\"", EncodeBase64(reject.bytes));
    open_bytes_ += line.size();
    return broken_ = rejects_->Write(line + "}\n");
  }

  void AddBytes(uint64_t uncompressed_bytes) override { counts_.bytes += uncompressed_bytes; }
  const TakenFiles* taken() const override { return mode_ != Mode::kReplace ? &taken_ : nullptr; }

  absl::Status AddFile(const TakenFile& file) override {
    RETURN_IF_ERROR(broken_);
    return broken_ = files_->Write(ToLine(file));
  }

  absl::Status AddKnown(const TakenFile& known, const std::string& path) override {
    RETURN_IF_ERROR(broken_);
    counts_.read += known.read;
    counts_.duplicates += known.read;
    counts_.known += known.read;
    TakenFile here = known;
    here.path = path;
    if (taken_.HasPath(here)) return absl::OkStatus();
    return broken_ = files_->Write(ToLine(here));  // its records have one origin more
  }

  void SetRights(const Rights& rights) override { rights_ = rights; }
  IngestCounts counts() const override { return counts_ + committed_counts_; }
  Json position() const override { return before_.manifest.extra.value("follow", Json()); }
  uint64_t open_bytes() const override { return open_bytes_; }
  bool dirty() const override { return counts_.read > 0 || counts_.bytes > 0; }
  bool has_notices() const override { return !new_takedowns_.empty(); }

  absl::Status Checkpoint(const std::string& key, const Json& settings, const Json& position, double seconds) override {
    RETURN_IF_ERROR(broken_);
    if (mode_ != Mode::kFollow) return absl::FailedPreconditionError("Checkpoint() is for sources that are followed");
    return broken_ = CommitSome(key, settings, position, seconds);
  }

  absl::StatusOr<IngestCounts> Commit(const std::string& key, const Json& settings, double seconds) override {
    RETURN_IF_ERROR(broken_);
    broken_ = Finish(key, settings, seconds);
    RETURN_IF_ERROR(broken_);
    committed_ = true;
    broken_ = absl::FailedPreconditionError(fmt::format("source \"{}\" was committed already", source_));
    return counts();
  }

 private:
  absl::Status OpenExisting() {
    RETURN_IF_ERROR(CreateDirectories(directory_));
    if (PathExists(directory_ + "/manifest.json")) {
      ASSIGN_OR_RETURN(before_, ReadSourceManifest(directory_));
    }
    RETURN_IF_ERROR(RemoveUncommitted(directory_, before_));
    ASSIGN_OR_RETURN(taken_, TakenFiles::Read(directory_ + "/" + kFilesFile, before_.files_bytes));
    if (before_.parts.empty()) return absl::OkStatus();
    const std::string& last = before_.parts.back().file;
    if (sscanf(last.c_str(), "part-%d.parquet", &first_part_) != 1) {
      return absl::DataLossError(fmt::format("{}/manifest.json: \"{}\" is no part's name", directory_, last));
    }
    ++first_part_;
    return LoadIds();
  }

  absl::Status OpenParts() {
    ASSIGN_OR_RETURN(parts_, RecordPartWriter::Create(directory_, first_part_, compressing_));
    return absl::OkStatus();
  }

  absl::Status LoadIds() {
    ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, Database::Open({}));
    // Of a source that is followed only the newest parts that fill the window.
    size_t first = before_.parts.size();
    for (uint64_t rows = 0; first > 0 && rows < ids_.capacity(); --first) rows += before_.parts[first - 1].rows;
    for (size_t i = first; i < before_.parts.size(); ++i) {
      const PartInfo& part = before_.parts[i];
      const std::string path = directory_ + "/" + part.file;
      absl::StatusOr<QueryResult> rows =
          database->Query(fmt::format("SELECT id FROM read_parquet({})", SqlLiteral(path)));
      if (!rows.ok()) return Annotate(rows.status(), path);
      while (true) {
        ASSIGN_OR_RETURN(const bool more, rows->Next());
        if (!more) break;
        for (size_t row = 0; row < rows->row_count(); ++row) ids_.Insert(KeyOfId(rows->String(0, row)));
      }
    }
    return absl::OkStatus();
  }

  // The members of a log's line; the file's name is escaped once for all of its records.
  std::string OriginJson(const Origin& origin) {
    if (escaped_.empty() || origin.file != escaped_file_) {
      escaped_file_ = origin.file;
      escaped_ = DumpJson(Json(origin.file));
    }
    return fmt::format("\"file\":{},\"begin\":{},\"end\":{}", escaped_, origin.begin, origin.end);
  }

  absl::Status Finish(const std::string& key, const Json& settings, double seconds) {
    ASSIGN_OR_RETURN(const SourceManifest after, EndParts(key, settings, seconds));
    if (mode_ == Mode::kReplace) {
      RETURN_IF_ERROR(WriteSourceManifest(directory_, after));
      return staged_->Commit();
    }
    return MakeCount(after);
  }

  absl::Status CommitSome(const std::string& key, const Json& settings, const Json& position, double seconds) {
    ASSIGN_OR_RETURN(SourceManifest after, EndParts(key, settings, seconds));
    after.manifest.extra["follow"] = position;
    first_part_ += static_cast<int>(after.parts.size() - before_.parts.size());
    RETURN_IF_ERROR(MakeCount(after));
    before_ = std::move(after);
    // Parts that were closed full are small only where their text compresses well: merging those, too, cost a topic at
    // full speed 8 % of its processor time.
    if (open_bytes_ >= RecordPartWriter::kPartBytes) full_parts_ = before_.parts.size();
    committed_counts_ = committed_counts_ + counts_;
    counts_ = {};
    text_bytes_ = open_bytes_ = 0;
    new_takedowns_.clear();
    RETURN_IF_ERROR(MergeSmallParts());
    return OpenParts();
  }

  // Parts that were closed by the clock, put together once there are many: weeks of them would slow every reader.
  absl::Status MergeSmallParts() {
    const auto now = std::chrono::steady_clock::now();
    while (!superseded_.empty() && now - superseded_.front().second > kGrace) {
      RETURN_IF_ERROR(RemoveTree(superseded_.front().first));
      superseded_.pop_front();
    }
    const size_t run = SmallPartsAtEnd(std::span(before_.parts).subspan(full_parts_));
    if (run == 0) return absl::OkStatus();
    SourceManifest after = before_;
    const std::vector<PartInfo> small(after.parts.end() - static_cast<std::ptrdiff_t>(run), after.parts.end());
    after.parts.resize(after.parts.size() - run);
    ASSIGN_OR_RETURN(const PartInfo merged, MergeParts(directory_, small, first_part_));
    after.parts.push_back(merged);
    ++first_part_;
    RETURN_IF_ERROR(MakeCount(after));
    before_ = std::move(after);
    for (const PartInfo& part : small) superseded_.emplace_back(directory_ + "/" + part.file, now);
    return absl::OkStatus();
  }

  // The manifest as it will be, with all that was appended on the disk.
  absl::StatusOr<SourceManifest> EndParts(const std::string& key, const Json& settings, double seconds) {
    SourceManifest after = before_;
    ASSIGN_OR_RETURN(const std::vector<PartInfo> parts, parts_->Finish());
    after.parts.insert(after.parts.end(), parts.begin(), parts.end());
    ASSIGN_OR_RETURN(after.duplicates_bytes, duplicates_->Flush());
    ASSIGN_OR_RETURN(after.rejects_bytes, rejects_->Flush());
    ASSIGN_OR_RETURN(after.files_bytes, files_->Flush());
    after.manifest.stage = "ingest";
    after.manifest.key = key;
    after.manifest.settings = settings;
    after.manifest.seconds = seconds;
    after.manifest.counts = CountsJson(counts_, text_bytes_);
    if (before_.manifest.counts.is_object()) {  // totals over all that was appended
      for (auto& [name, count] : after.manifest.counts.items()) {
        count = count.get<uint64_t>() + before_.manifest.counts.value(name, uint64_t{0});
      }
      for (const auto& [name, count] : before_.manifest.counts.items()) {  // erased, erased_duplicates
        if (!after.manifest.counts.contains(name)) after.manifest.counts[name] = count;
      }
    }
    for (const Json& reader : before_.manifest.extra.value("readers", Json::array())) {
      readers_.insert(reader.get<std::string>());
    }
    after.manifest.extra["readers"] = readers_;
    // The older of what its records of before obey and what those of this run do.
    const std::string obeyed = before_.manifest.extra.value(kObeyedTakedowns, "");
    const std::string& version = before_.parts.empty() ? takedowns_.version() : obeyed;
    if (!version.empty()) after.manifest.extra[kObeyedTakedowns] = version;
    if (rights_) after.manifest.extra["rights"] = ToJson(*rights_);
    // Before the records count: after a kill between the two, the notices hold for nothing yet, which does no harm.
    RETURN_IF_ERROR(TakedownList::Append(out_, new_takedowns_));
    RETURN_IF_ERROR(LinkRejects());
    return after;
  }

  // The parts count from here on.
  absl::Status MakeCount(const SourceManifest& after) {
    for (const PartInfo& part : after.parts) {
      const bool known = std::any_of(before_.parts.begin(), before_.parts.end(),
                                     [&](const PartInfo& before) { return before.file == part.file; });
      if (!known) RETURN_IF_ERROR(SyncPath(directory_ + "/" + part.file));
    }
    RETURN_IF_ERROR(SyncPath(directory_ + "/" + kDuplicatesFile));
    RETURN_IF_ERROR(SyncPath(directory_ + "/" + kRejectsFile));
    RETURN_IF_ERROR(SyncPath(directory_ + "/" + kFilesFile));
    RETURN_IF_ERROR(SyncPath(directory_));
    return WriteSourceManifest(directory_, after);
  }

  // OUT/rejects/<source>.jsonl as a symbolic link: it follows whatever is committed, where a hard link or a copy would
  // be wrong after a kill between the two steps.
  absl::Status LinkRejects() const {
    const std::string link = fmt::format("{}/rejects/{}.jsonl", out_, source_);
    const std::string target = fmt::format("../records/{}/{}", source_, kRejectsFile);
    std::error_code error;
    if (std::filesystem::read_symlink(link, error) == target) return absl::OkStatus();
    const std::string partial = link + ".partial";
    RETURN_IF_ERROR(RemoveTree(partial));
    std::filesystem::create_symlink(target, partial, error);
    if (error) return ErrnoError(error.value(), "link", partial);
    return Rename(partial, link);
  }

  const std::string out_;
  const std::string source_;
  const Mode mode_;
  std::optional<SourceLock> lock_;
  std::string directory_;
  std::optional<StagedDirectory> staged_;
  SourceManifest before_;
  int first_part_ = 0;
  IdWindow ids_;
  Suppression erased_;
  std::unique_ptr<LineLog> duplicates_;
  std::unique_ptr<LineLog> rejects_;
  std::unique_ptr<LineLog> files_;
  TakenFiles taken_;
  std::unique_ptr<RecordPartWriter> parts_;
  int compressing_ = 0;
  IngestCounts counts_;            // since the last commit
  IngestCounts committed_counts_;  // of this object's commits before
  uint64_t text_bytes_ = 0;
  uint64_t open_bytes_ = 0;
  size_t full_parts_ = 0;  // this many parts are followed by those that the clock closed
  static constexpr std::chrono::minutes kGrace{10};
  std::deque<std::pair<std::string, std::chrono::steady_clock::time_point>> superseded_;  // parts that were merged
  TakedownList takedowns_;
  std::vector<Takedown> new_takedowns_;
  std::optional<Rights> rights_;
  std::set<std::string> readers_;
  std::string last_reader_;
  std::string escaped_file_;
  std::string escaped_;
  bool committed_ = false;
  absl::Status broken_;
};

}  // namespace

IngestCounts operator+(IngestCounts a, const IngestCounts& b) {
  a.read += b.read;
  a.stored += b.stored;
  a.duplicates += b.duplicates;
  a.known += b.known;
  a.rejected += b.rejected;
  a.bytes += b.bytes;
  return a;
}

absl::StatusOr<std::unique_ptr<RecordWriter>> RecordWriter::Open(const std::string& out, const std::string& source,
                                                                 Mode mode, const RunContext& context) {
  auto writer = std::make_unique<Writer>(out, source, mode);
  RETURN_IF_ERROR(writer->Start(context));
  return writer;
}

}  // namespace rhodes
