// Documents for several threads: pieces of work in the order of the input, each read by the thread that works on it
// where the input allows that.
#ifndef RHODES_RECORD_DOCUMENT_PIECES_H_
#define RHODES_RECORD_DOCUMENT_PIECES_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "record/document_ranges.h"
#include "record/document_table.h"
#include "record/record.h"

namespace rhodes {

// Bytes of a file that are still to be read, or documents that were read already.
struct DocumentPiece {
  std::optional<DocumentRange> range;
  std::vector<Document> batch;
};

// Cuts inputs into pieces: plain files of lines by their bytes, so that no thread waits for another's reading; what can
// only be read from its beginning (compressed, Parquet) into batches. The documents of all pieces, in order, are those
// of DocumentReader. Not thread-safe.
class DocumentPieces {
 public:
  // `paths` as DocumentReader::Open() takes them, and its errors.
  static absl::StatusOr<DocumentPieces> Open(const std::vector<std::string>& paths);

  // The next piece; nothing at the end.
  absl::StatusOr<std::optional<DocumentPiece>> Next();
  // Documents in all, when they are known beforehand (Parquet alone), else 0.
  uint64_t row_count() const { return row_count_; }

  // Small enough that the last pieces end about together, large enough that opening one costs nothing beside it.
  static constexpr uint64_t kPieceBytes = uint64_t{2} << 20;

 private:
  std::vector<DocumentRange> ranges_;
  size_t next_ = 0;
  std::unique_ptr<DocumentReader> reader_;  // of files that are read from the front
  uint64_t row_count_ = 0;
};

// Hands the documents of a piece to `take`, a batch at a time.
absl::Status ReadPiece(DocumentPiece piece, const std::function<absl::Status(const std::vector<Document>&)>& take);

}  // namespace rhodes

#endif  // RHODES_RECORD_DOCUMENT_PIECES_H_
