#include "record/document_pieces.h"

#include <algorithm>

namespace rhodes {

absl::StatusOr<DocumentPieces> DocumentPieces::Open(const std::vector<std::string>& paths) {
  DocumentPieces pieces;
  ASSIGN_OR_RETURN(const std::vector<DocumentRange> ranges, DocumentRanges(paths));
  for (const DocumentRange& range : ranges) {
    if (!range.by_bytes) {
      pieces.ranges_.push_back(range);
      continue;
    }
    for (uint64_t begin = range.begin; begin < range.end; begin += kPieceBytes) {
      DocumentRange piece = range;
      piece.begin = begin;
      piece.end = std::min(range.end, begin + kPieceBytes);
      pieces.ranges_.push_back(std::move(piece));
    }
  }
  const bool counted = !ranges.empty() && std::all_of(ranges.begin(), ranges.end(), [](const DocumentRange& range) {
    return IsParquetName(range.file);
  });
  if (counted) {
    ASSIGN_OR_RETURN(const std::unique_ptr<DocumentReader> reader, DocumentReader::Open(paths));
    pieces.row_count_ = reader->row_count();
  }
  return pieces;
}

absl::StatusOr<std::optional<DocumentPiece>> DocumentPieces::Next() {
  while (true) {
    DocumentPiece piece;
    if (reader_ != nullptr) {
      ASSIGN_OR_RETURN(const bool more, reader_->Next(piece.batch));
      if (more) return std::optional<DocumentPiece>(std::move(piece));
      reader_.reset();
    }
    if (next_ == ranges_.size()) return std::optional<DocumentPiece>();
    if (ranges_[next_].by_bytes) {
      piece.range = ranges_[next_++];
      return std::optional<DocumentPiece>(std::move(piece));
    }
    // One reader for all files up to the next that is read by its bytes: opening one costs more than a small file.
    std::vector<std::string> files;
    for (; next_ < ranges_.size() && !ranges_[next_].by_bytes; ++next_) files.push_back(ranges_[next_].file);
    ASSIGN_OR_RETURN(reader_, DocumentReader::Open(files));
  }
}

absl::Status ReadPiece(DocumentPiece piece, const std::function<absl::Status(const std::vector<Document>&)>& take) {
  if (!piece.range.has_value()) return take(piece.batch);
  ASSIGN_OR_RETURN(const std::unique_ptr<DocumentReader> reader, DocumentReader::OpenRange(*piece.range));
  while (true) {
    ASSIGN_OR_RETURN(const bool more, reader->Next(piece.batch));
    if (!more) return absl::OkStatus();
    RETURN_IF_ERROR(take(piece.batch));
  }
}

}  // namespace rhodes
