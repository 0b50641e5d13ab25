// Where curated documents go: Parquet parts of a stage, or files in the format that they came in.
#ifndef RHODES_CURATE_CURATED_OUTPUT_H_
#define RHODES_CURATE_CURATED_OUTPUT_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/status.h"
#include "curate/document_line.h"
#include "record/record.h"

namespace rhodes {

// What the documents of a piece become.
struct OutputPiece {
  std::string kept;  // bytes of files of lines
  std::string dropped;
  struct Row {
    Document document;
    std::optional<DropNote> note;  // of a dropped one
  };
  std::vector<Row> rows;  // of Parquet
};

class CuratedOutput {
 public:
  virtual ~CuratedOutput() = default;
  // Adds a document, then ends the piece: on any thread, for distinct pieces. `note` is null for a kept one.
  virtual void Put(Document document, const DropNote* note, OutputPiece& piece) const = 0;
  virtual absl::Status Close(OutputPiece& piece) const = 0;
  // Writes the pieces, in order. Nothing is seen under its name before Commit(). Not thread-safe.
  virtual absl::Status Append(OutputPiece piece) = 0;
  // Ends the files. What is to stand in the manifest as `files` and `dropped_files`.
  virtual absl::Status Finish(Json& files, Json& dropped_files) = 0;
  // Where the manifest belongs, under its final content's name once committed.
  virtual std::string manifest_directory() const = 0;
  virtual absl::Status Commit() = 0;
};

// Directories `kept` and `dropped` of Parquet parts with the columns of documents; dropped ones have `rule`, `reason`,
// `cluster` and `kept_id` beside them. Each directory appears whole.
absl::StatusOr<std::unique_ptr<CuratedOutput>> OpenStageOutput(const std::string& kept, const std::string& dropped);

// `directory`/kept.EXT and dropped.EXT. Rows have id, text, the other columns of the input as they came, the language
// that was found, and (dropped) rule, reason, cluster, kept_id. EXT is one of jsonl, jsonl.gz, jsonl.zst.
// INVALID_ARGUMENT for another one.
absl::StatusOr<std::unique_ptr<CuratedOutput>> OpenLinesOutput(const std::string& directory,
                                                               const std::string& extension);

// The same as one Parquet file each, with the columns of documents.
absl::StatusOr<std::unique_ptr<CuratedOutput>> OpenParquetOutput(const std::string& directory);

// The extension for files beside `input`: of JSON Lines "jsonl" with its compression, of all else "parquet".
std::string OutputExtension(const std::string& input);

}  // namespace rhodes

#endif  // RHODES_CURATE_CURATED_OUTPUT_H_
