#include "curate/curated_output.h"

#include <fmt/chrono.h>

#include <ctime>

#include "base/file.h"
#include "base/text.h"
#include "curate/lines_file.h"
#include "record/document_table.h"
#include "table/database.h"
#include "table/parquet_parts.h"
#include "table/part_list.h"

namespace rhodes {
namespace {

const std::vector<std::string>& NoteColumns() {
  static const auto* const columns = new std::vector<std::string>{"rule", "reason", "cluster", "kept_id"};
  return *columns;
}

// Kept and dropped documents as Parquet parts in a staged directory each.
class PartsOutput : public CuratedOutput {
 public:
  PartsOutput(StagedDirectory kept, StagedDirectory dropped) : kept_(std::move(kept)), dropped_(std::move(dropped)) {}

  absl::Status Open() {
    ASSIGN_OR_RETURN(kept_writer_, DocumentWriter::Create(kept_.path()));
    ASSIGN_OR_RETURN(dropped_writer_, DocumentWriter::Create(dropped_.path(), NoteColumns()));
    return absl::OkStatus();
  }
  absl::Status Keep(const Document& document) override { return kept_writer_->Append(document); }
  absl::Status Drop(const Document& document, const DropNote& note) override {
    return dropped_writer_->Append(document, {note.rule, note.reason, note.cluster, note.kept_id});
  }

 protected:
  absl::Status FinishParts() {
    RETURN_IF_ERROR(kept_writer_->Finish());
    return dropped_writer_->Finish();
  }

  StagedDirectory kept_;
  StagedDirectory dropped_;
  std::unique_ptr<DocumentWriter> kept_writer_;
  std::unique_ptr<DocumentWriter> dropped_writer_;
};

// The directories are what is wanted.
class StageOutput final : public PartsOutput {
 public:
  using PartsOutput::PartsOutput;

  absl::Status Finish(Json& files, Json& dropped_files) override {
    RETURN_IF_ERROR(FinishParts());
    files = PartsToJson(kept_writer_->parts());
    dropped_files = PartsToJson(dropped_writer_->parts());
    return absl::OkStatus();
  }
  std::string manifest_directory() const override { return kept_.path(); }
  absl::Status Commit() override {
    // The manifest lies with the kept documents, so those come last: a kill between the two leaves a key that is not
    // this run's, and the stage runs again.
    RETURN_IF_ERROR(dropped_.Commit());
    return kept_.Commit();
  }
};

std::string TimeText(int64_t microseconds) {
  int64_t seconds = microseconds / 1'000'000;
  int64_t rest = microseconds % 1'000'000;
  if (rest < 0) {
    rest += 1'000'000;
    --seconds;
  }
  const std::string whole = fmt::format("{:%Y-%m-%dT%H:%M:%S}", fmt::gmtime(static_cast<std::time_t>(seconds)));
  return rest == 0 ? whole + "Z" : fmt::format("{}.{:06}Z", whole, rest);
}

// One JSON object a document. Its meta are the input's other columns, which stand beside the known ones again.
std::string LineOf(const Document& document, const DropNote* note) {
  std::string line = fmt::format("{{\"id\":{},\"text\":{}", DumpJson(Json(document.id)), DumpJson(Json(document.text)));
  if (document.time) line += fmt::format(",\"time\":\"{}\"", TimeText(*document.time));
  if (!document.language.empty()) line += ",\"language\":" + DumpJson(Json(document.language));
  if (!document.sources.empty()) line += ",\"sources\":" + DumpJson(Json(document.sources));
  if (!document.parents.empty()) line += ",\"parents\":" + DumpJson(Json(document.parents));
  if (!document.spans.empty()) {
    Json spans = Json::array();
    for (const Span& span : document.spans) {
      spans.push_back({{"begin", span.begin}, {"end", span.end}, {"parent", span.parent}});
    }
    line += ",\"spans\":" + DumpJson(spans);
  }
  const std::string_view meta = Trim(document.meta);
  if (meta.size() > 2 && meta.front() == '{' && meta.back() == '}') {
    const std::string_view members = Trim(meta.substr(1, meta.size() - 2));
    if (!members.empty()) line += "," + std::string(members);
  }
  if (note != nullptr) {
    line += fmt::format(",\"rule\":{},\"reason\":{}", DumpJson(Json(note->rule)), DumpJson(Json(note->reason)));
    if (!note->cluster.empty()) line += fmt::format(",\"cluster\":{}", note->cluster);
    if (!note->kept_id.empty()) line += ",\"kept_id\":" + DumpJson(Json(note->kept_id));
  }
  return line + "}\n";
}

class LinesOutput final : public CuratedOutput {
 public:
  LinesOutput(std::string directory, std::string extension)
      : directory_(std::move(directory)), extension_(std::move(extension)) {}

  absl::Status Open() {
    RETURN_IF_ERROR(CreateDirectories(directory_));
    ASSIGN_OR_RETURN(kept_, LinesFile::Create(fmt::format("{}/kept.{}", directory_, extension_)));
    ASSIGN_OR_RETURN(dropped_, LinesFile::Create(fmt::format("{}/dropped.{}", directory_, extension_)));
    return absl::OkStatus();
  }
  absl::Status Keep(const Document& document) override { return kept_->Append(LineOf(document, nullptr)); }
  absl::Status Drop(const Document& document, const DropNote& note) override {
    return dropped_->Append(LineOf(document, &note));
  }
  absl::Status Finish(Json& files, Json& dropped_files) override {
    RETURN_IF_ERROR(kept_->Finish());
    RETURN_IF_ERROR(dropped_->Finish());
    files = Json::array({"kept." + extension_});
    dropped_files = Json::array({"dropped." + extension_});
    return absl::OkStatus();
  }
  std::string manifest_directory() const override { return directory_; }
  absl::Status Commit() override {
    RETURN_IF_ERROR(dropped_->Commit());
    return kept_->Commit();
  }

 private:
  const std::string directory_;
  const std::string extension_;
  std::unique_ptr<LinesFile> kept_;
  std::unique_ptr<LinesFile> dropped_;
};

// The parts are put together into one file each at the end.
class ParquetOutput final : public PartsOutput {
 public:
  ParquetOutput(std::string directory, StagedDirectory kept, StagedDirectory dropped)
      : PartsOutput(std::move(kept), std::move(dropped)), directory_(std::move(directory)) {}

  absl::Status Finish(Json& files, Json& dropped_files) override {
    RETURN_IF_ERROR(FinishParts());
    RETURN_IF_ERROR(Join(kept_.path(), kept_writer_->parts(), "kept.parquet"));
    RETURN_IF_ERROR(Join(dropped_.path(), dropped_writer_->parts(), "dropped.parquet"));
    files = Json::array({"kept.parquet"});
    dropped_files = Json::array({"dropped.parquet"});
    return absl::OkStatus();
  }
  std::string manifest_directory() const override { return directory_; }
  absl::Status Commit() override {
    for (const char* name : {"dropped.parquet", "kept.parquet"}) {
      const std::string partial = fmt::format("{}/{}.partial", directory_, name);
      if (!PathExists(partial)) {  // nothing of the kind
        RETURN_IF_ERROR(RemoveTree(fmt::format("{}/{}", directory_, name)));
        continue;
      }
      RETURN_IF_ERROR(SyncPath(partial));
      RETURN_IF_ERROR(Rename(partial, fmt::format("{}/{}", directory_, name)));
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Join(const std::string& from, const std::vector<PartInfo>& parts, const std::string& name) const {
    const std::string partial = fmt::format("{}/{}.partial", directory_, name);
    if (parts.empty()) return RemoveTree(partial);
    if (parts.size() == 1) return Rename(from + "/" + parts[0].file, partial);
    std::string list;
    for (const PartInfo& part : parts) list += (list.empty() ? "" : ", ") + SqlLiteral(from + "/" + part.file);
    ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, Database::Open({}));
    return database->Execute(fmt::format("COPY (FROM read_parquet([{}], hive_partitioning = false)) TO {} ({})", list,
                                         SqlLiteral(partial), kParquetPartFormat));
  }

  const std::string directory_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<CuratedOutput>> OpenStageOutput(const std::string& kept, const std::string& dropped) {
  ASSIGN_OR_RETURN(StagedDirectory staged_kept, StagedDirectory::Open(kept));
  ASSIGN_OR_RETURN(StagedDirectory staged_dropped, StagedDirectory::Open(dropped));
  auto output = std::make_unique<StageOutput>(std::move(staged_kept), std::move(staged_dropped));
  RETURN_IF_ERROR(output->Open());
  return output;
}

absl::StatusOr<std::unique_ptr<CuratedOutput>> OpenLinesOutput(const std::string& directory,
                                                               const std::string& extension) {
  if (extension != "jsonl" && extension != "jsonl.gz" && extension != "jsonl.zst") {
    return absl::InvalidArgumentError(fmt::format("no output is called kept.{}", extension));
  }
  auto output = std::make_unique<LinesOutput>(directory, extension);
  RETURN_IF_ERROR(output->Open());
  return output;
}

absl::StatusOr<std::unique_ptr<CuratedOutput>> OpenParquetOutput(const std::string& directory) {
  RETURN_IF_ERROR(CreateDirectories(directory));
  ASSIGN_OR_RETURN(StagedDirectory kept, StagedDirectory::Open(directory + "/.kept"));
  ASSIGN_OR_RETURN(StagedDirectory dropped, StagedDirectory::Open(directory + "/.dropped"));
  auto output = std::make_unique<ParquetOutput>(directory, std::move(kept), std::move(dropped));
  RETURN_IF_ERROR(output->Open());
  return output;
}

std::string OutputExtension(const std::string& input) {
  const std::string lower = LowerAscii(input);
  for (const char* compression : {"", ".gz", ".zst"}) {
    for (const char* lines : {".jsonl", ".json", ".ndjson"}) {
      if (lower.ends_with(std::string(lines) + compression)) return std::string("jsonl") + compression;
    }
  }
  return "parquet";
}

}  // namespace rhodes
