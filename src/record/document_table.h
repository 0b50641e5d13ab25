// Documents on disk: Parquet parts (zstd) in one directory, read as a stream and written in order.
#ifndef RHODES_RECORD_DOCUMENT_TABLE_H_
#define RHODES_RECORD_DOCUMENT_TABLE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "record/document_ranges.h"
#include "record/record.h"
#include "table/parquet_parts.h"

namespace rhodes {

// The type of the column `spans`, as SQL. Offsets are bytes of the text, half open; `parent` is an index into
// `parents`, from 0. NULL: the whole text is from all parents.
inline constexpr char kSpansType[] = "STRUCT(\"begin\" UBIGINT, \"end\" UBIGINT, parent UBIGINT)[]";

// Reads documents from Parquet and JSON Lines files (plain, .gz, .zst), in the order of `paths` and of the rows in
// them. A directory stands for its `part-*.parquet`, else for the .parquet/.jsonl/.json/.gz/.zst files in it, sorted.
// The column `text` is required; `id` defaults to ContentId({text}); every other Document column is optional. Other
// columns go into `meta`. Memory is bounded by a few batches. Not thread-safe.
class DocumentReader {
 public:
  static absl::StatusOr<std::unique_ptr<DocumentReader>> Open(const std::vector<std::string>& paths);
  // One of DocumentRanges().
  static absl::StatusOr<std::unique_ptr<DocumentReader>> OpenRange(const DocumentRange& range);
  virtual ~DocumentReader() = default;
  // Replaces `batch` by the next documents, about `DocumentReader::kBatchBytes` of text; false at the end. Batches are
  // cut at the same documents every time. A broken row or file: INVALID_ARGUMENT naming file and row.
  virtual absl::StatusOr<bool> Next(std::vector<Document>& batch) = 0;
  // Total rows when known from Parquet metadata, else 0; and input bytes, for progress.
  virtual uint64_t row_count() const = 0;
  static constexpr uint64_t kBatchBytes = 4 << 20;
};

// Writes documents in the order they are appended to `directory`/part-00000.parquet, ...: a new part at every
// `kPartBytes` of text. The bytes are a function of the documents alone. Extra VARCHAR columns may follow the schema's.
// Not thread-safe; parts are compressed on a thread of their own while the next one fills.
class DocumentWriter {
 public:
  static absl::StatusOr<std::unique_ptr<DocumentWriter>> Create(const std::string& directory,
                                                                const std::vector<std::string>& extra_columns = {});
  virtual ~DocumentWriter() = default;
  // `extra` has one value per extra column.
  virtual absl::Status Append(const Document& document, const std::vector<std::string_view>& extra = {}) = 0;
  // Closes the last part. Nothing is durable before. A full disk: RESOURCE_EXHAUSTED.
  virtual absl::Status Finish() = 0;
  // What was written, after Finish().
  virtual const std::vector<PartInfo>& parts() const = 0;
  static constexpr uint64_t kPartBytes = 64 << 20;
};

}  // namespace rhodes

#endif  // RHODES_RECORD_DOCUMENT_TABLE_H_
