#include "curate/curated_output.h"

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
  void Put(Document document, const DropNote* note, OutputPiece& piece) const override {
    OutputPiece::Row& row = piece.rows.emplace_back(OutputPiece::Row{std::move(document), std::nullopt});
    if (note != nullptr) row.note = *note;
  }
  absl::Status Close(OutputPiece& /*piece*/) const override { return absl::OkStatus(); }
  absl::Status Append(OutputPiece piece) override {
    for (const OutputPiece::Row& row : piece.rows) {
      if (!row.note.has_value()) {
        RETURN_IF_ERROR(kept_writer_->Append(row.document));
        continue;
      }
      const DropNote& note = *row.note;
      RETURN_IF_ERROR(dropped_writer_->Append(row.document, {note.rule, note.reason, note.cluster, note.kept_id}));
    }
    return absl::OkStatus();
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
  void Put(Document document, const DropNote* note, OutputPiece& piece) const override {
    AppendDocumentLine(document, note, note == nullptr ? piece.kept : piece.dropped);
  }
  absl::Status Close(OutputPiece& piece) const override {
    for (std::string* lines : {&piece.kept, &piece.dropped}) {
      if (lines->empty()) continue;
      ASSIGN_OR_RETURN(*lines, CompressLines(std::move(*lines), CompressionOf(extension_)));
    }
    return absl::OkStatus();
  }
  absl::Status Append(OutputPiece piece) override {
    RETURN_IF_ERROR(kept_->Append(piece.kept));
    return dropped_->Append(piece.dropped);
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
    RETURN_IF_ERROR(Join(kept_.path(), kept_writer_->parts(), {}, "kept.parquet"));
    RETURN_IF_ERROR(Join(dropped_.path(), dropped_writer_->parts(), NoteColumns(), "dropped.parquet"));
    files = Json::array({"kept.parquet"});
    dropped_files = Json::array({"dropped.parquet"});
    return absl::OkStatus();
  }
  std::string manifest_directory() const override { return directory_; }
  absl::Status Commit() override {
    for (const char* name : {"dropped.parquet", "kept.parquet"}) {
      const std::string partial = fmt::format("{}/{}.partial", directory_, name);
      RETURN_IF_ERROR(SyncPath(partial));
      RETURN_IF_ERROR(Rename(partial, fmt::format("{}/{}", directory_, name)));
    }
    return absl::OkStatus();
  }

 private:
  // Without documents a table of no rows, so that whoever reads it finds its columns.
  absl::Status Join(const std::string& from, const std::vector<PartInfo>& parts,
                    const std::vector<std::string>& more_columns, const std::string& name) const {
    const std::string partial = fmt::format("{}/{}.partial", directory_, name);
    if (parts.empty()) return WriteNone(from + "/none", more_columns, partial);
    if (parts.size() == 1) return Rename(from + "/" + parts[0].file, partial);
    std::string list;
    for (const PartInfo& part : parts) list += (list.empty() ? "" : ", ") + SqlLiteral(from + "/" + part.file);
    ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, Database::Open({}));
    return database->Execute(fmt::format("COPY (FROM read_parquet([{}], hive_partitioning = false)) TO {} ({})", list,
                                         SqlLiteral(partial), kParquetPartFormat));
  }

  // The columns are those of a document that is written to `scratch`.
  static absl::Status WriteNone(const std::string& scratch, const std::vector<std::string>& more_columns,
                                const std::string& path) {
    RETURN_IF_ERROR(CreateDirectories(scratch));
    ASSIGN_OR_RETURN(const std::unique_ptr<DocumentWriter> writer, DocumentWriter::Create(scratch, more_columns));
    RETURN_IF_ERROR(writer->Append(Document(), std::vector<std::string_view>(more_columns.size())));
    RETURN_IF_ERROR(writer->Finish());
    ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, Database::Open({}));
    return database->Execute(fmt::format("COPY (FROM read_parquet({}, hive_partitioning = false) LIMIT 0) TO {} ({})",
                                         SqlLiteral(scratch + "/" + writer->parts()[0].file), SqlLiteral(path),
                                         kParquetPartFormat));
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
