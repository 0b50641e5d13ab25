#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <set>

#include "base/file.h"
#include "record/record_table.h"
#include "store/id_set.h"
#include "store/record_store.h"
#include "store/source_directory.h"
#include "store/source_lock.h"
#include "store/suppression.h"
#include "store/takedown_list.h"
#include "table/database.h"

namespace rhodes {
namespace {

// Lines added to the end of a file.
class LineLog {
 public:
  static absl::StatusOr<std::unique_ptr<LineLog>> Open(const std::string& path) {
    FILE* file = fopen(path.c_str(), "ae");
    if (file == nullptr) return ErrnoError(errno, "open", path);
    setvbuf(file, nullptr, _IOFBF, 1 << 18);
    return std::unique_ptr<LineLog>(new LineLog(path, file));
  }
  ~LineLog() {
    if (file_ != nullptr) fclose(file_);
  }
  LineLog(const LineLog&) = delete;
  LineLog& operator=(const LineLog&) = delete;

  absl::Status Write(std::string_view line) {
    if (fwrite(line.data(), 1, line.size(), file_) != line.size()) return ErrnoError(errno, "write", path_);
    return absl::OkStatus();
  }
  // Its size once it is closed.
  absl::StatusOr<uint64_t> Close() {
    if (fclose(std::exchange(file_, nullptr)) != 0) return ErrnoError(errno, "write", path_);
    return FileSize(path_);
  }

 private:
  LineLog(std::string path, FILE* file) : path_(std::move(path)), file_(file) {}
  const std::string path_;
  FILE* file_;
};

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
    ASSIGN_OR_RETURN(parts_, RecordPartWriter::Create(directory_, first_part_, std::clamp(affordable, 0, 2)));
    return absl::OkStatus();
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
    if (record.reader != last_reader_) readers_.insert(last_reader_ = record.reader);
    return broken_ = parts_->Append(record);
  }

  absl::Status AddReject(Reject reject) override {
    RETURN_IF_ERROR(broken_);
    ++counts_.read;
    ++counts_.rejected;
    return broken_ = rejects_->Write(
               fmt::format("{{{},\"reason\":{}}}\n", OriginJson(reject.origin), DumpJson(Json(reject.reason))));
  }

  void AddBytes(uint64_t uncompressed_bytes) override { counts_.bytes += uncompressed_bytes; }
  const TakenFiles* taken() const override { return mode_ == Mode::kAppend ? &taken_ : nullptr; }

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
  IngestCounts counts() const override { return counts_; }

  absl::StatusOr<IngestCounts> Commit(const std::string& key, const Json& settings, double seconds) override {
    RETURN_IF_ERROR(broken_);
    broken_ = Finish(key, settings, seconds);
    RETURN_IF_ERROR(broken_);
    committed_ = true;
    broken_ = absl::FailedPreconditionError(fmt::format("source \"{}\" was committed already", source_));
    return counts_;
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

  absl::Status LoadIds() {
    ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, Database::Open({}));
    for (const PartInfo& part : before_.parts) {
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
    SourceManifest after = before_;
    ASSIGN_OR_RETURN(const std::vector<PartInfo> parts, parts_->Finish());
    after.parts.insert(after.parts.end(), parts.begin(), parts.end());
    ASSIGN_OR_RETURN(after.duplicates_bytes, duplicates_->Close());
    ASSIGN_OR_RETURN(after.rejects_bytes, rejects_->Close());
    ASSIGN_OR_RETURN(after.files_bytes, files_->Close());
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
    if (mode_ == Mode::kReplace) {
      RETURN_IF_ERROR(WriteSourceManifest(directory_, after));
      return staged_->Commit();
    }
    for (const PartInfo& part : parts) RETURN_IF_ERROR(SyncPath(directory_ + "/" + part.file));
    RETURN_IF_ERROR(SyncPath(directory_ + "/" + kDuplicatesFile));
    RETURN_IF_ERROR(SyncPath(directory_ + "/" + kRejectsFile));
    RETURN_IF_ERROR(SyncPath(directory_ + "/" + kFilesFile));
    RETURN_IF_ERROR(SyncPath(directory_));
    return WriteSourceManifest(directory_, after);  // the parts count from here on
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
  IdSet ids_;
  Suppression erased_;
  std::unique_ptr<LineLog> duplicates_;
  std::unique_ptr<LineLog> rejects_;
  std::unique_ptr<LineLog> files_;
  TakenFiles taken_;
  std::unique_ptr<RecordPartWriter> parts_;
  IngestCounts counts_;
  uint64_t text_bytes_ = 0;
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

absl::StatusOr<std::unique_ptr<RecordWriter>> RecordWriter::Open(const std::string& out, const std::string& source,
                                                                 Mode mode, const RunContext& context) {
  auto writer = std::make_unique<Writer>(out, source, mode);
  RETURN_IF_ERROR(writer->Start(context));
  return writer;
}

}  // namespace rhodes
