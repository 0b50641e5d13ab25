// One input file as a sequence of pieces that begin and end at record boundaries.
#ifndef RHODES_INGEST_FILE_CUTTER_H_
#define RHODES_INGEST_FILE_CUTTER_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/decompress.h"
#include "source/format.h"

namespace rhodes {

// What all pieces of one file share: the mapped bytes and what the format learned from the file's beginning.
struct OpenFile {
  std::string path;
  std::unique_ptr<ByteReader> reader;
  const Format* format = nullptr;
  std::unique_ptr<FileState> state;
  std::shared_ptr<const ReadOptions> options;
};

// A piece of a file, to be parsed on any thread.
struct Piece {
  std::shared_ptr<const OpenFile> file;
  std::string owned;  // uncompressed bytes and padding; empty when `bytes` lies in the mapped file
  std::string_view bytes;
  uint64_t begin = 0;
  size_t padding = 0;
  bool last = false;   // the file ends here
  ParsedBlock parsed;  // what needs no parsing: rejects, and rows of formats that read rows

  uint64_t uncompressed = 0;  // bytes of input that this piece stands for
  uint64_t consumed = 0;      // the same in bytes on disk
};

// Records and rejects of a piece, in order.
ParsedBlock ParsePiece(Piece piece);

// Cuts plain files without touching most of their bytes; compressed ones are decompressed as they are read. What cannot
// be read becomes a reject: a file of no known format, the rest of a compressed file that breaks off, a record longer
// than the limit. Memory: one block, or one record when that is longer, never more than the record limit and a block.
// Not thread-safe.
class FileCutter {
 public:
  struct Settings {
    const Format* format = nullptr;  // null: detected
    size_t block_bytes = ReadOptions::kBlockBytes;
    uint64_t memory_bytes = uint64_t{512} << 20;  // for formats that read rows
  };
  // `path` goes into the records' Origin.
  static std::unique_ptr<FileCutter> Open(std::string path, std::unique_ptr<ByteReader> reader,
                                          const Settings& settings, std::shared_ptr<const ReadOptions> options);
  // The next piece, or nothing at the end.
  std::optional<Piece> Next();
  // The bytes on disk that the pieces given out so far stand for; empty for streams.
  std::string_view Consumed() const {
    const std::string_view raw = file_->reader->mapped();
    return raw.substr(0, std::min<size_t>(mapped_ ? position_ : file_->reader->consumed(), raw.size()));
  }
  std::string_view raw() const { return file_->reader->mapped(); }
  // Lets go of raw bytes behind the reading of a compressed file; those of a plain one go with their pieces.
  void ReleaseRaw(std::string_view part) const {
    if (!mapped_) file_->reader->Release(part);
  }

 private:
  FileCutter(const Settings& settings, std::shared_ptr<const ReadOptions> options)
      : settings_(settings), options_(*options), file_(std::make_shared<OpenFile>()) {
    file_->options = std::move(options);
  }
  void Begin();
  Piece NextMapped();
  Piece NextDecompressed();
  Piece NextRows();
  Piece WholeFile();
  Piece OversizeRecord();
  Piece TakeBuffered(size_t size);
  Piece RejectPiece(uint64_t begin, uint64_t end, std::string reason);
  Piece Account(Piece piece);
  void Fill(size_t size);
  void SkipRest();
  bool Ended() const { return drained_ || !broken_.ok(); }

  const Settings settings_;
  const ReadOptions& options_;  // lives in file_
  const std::shared_ptr<OpenFile> file_;
  std::unique_ptr<RowReader> rows_;
  bool mapped_ = false;
  bool done_ = false;
  uint64_t position_ = 0;  // uncompressed bytes given out
  uint64_t reported_ = 0;  // bytes on disk given out
  std::string detect_error_;
  // Compressed files: bytes [position_, position_ + buffer_.size()).
  std::string buffer_;
  bool drained_ = false;
  absl::Status broken_;
};

}  // namespace rhodes

#endif  // RHODES_INGEST_FILE_CUTTER_H_
