#include "ingest/file_cutter.h"

#include <algorithm>

namespace rhodes {
namespace {

constexpr size_t kHeadBytes = 64 << 10;
constexpr size_t kPadding = 64;  // what simdjson may read beyond a document
// A block of input this much longer than the record limit holds no record boundary: line breaks and blank lines fit in.
constexpr size_t kLimitSlack = 4096;

}  // namespace

ParsedBlock ParsePiece(Piece piece) {
  ParsedBlock parsed;
  if (!piece.bytes.empty()) {
    const Block block{piece.file->path, piece.bytes, piece.begin, piece.padding, piece.file->state.get(), piece.last};
    piece.file->format->Parse(block, *piece.file->options, parsed);
    // The records have copies of what they hold.
    if (piece.owned.empty()) piece.file->reader->Release(piece.bytes);
  }
  for (Record& record : piece.parsed.records) parsed.records.push_back(std::move(record));
  for (Reject& reject : piece.parsed.rejects) parsed.rejects.push_back(std::move(reject));
  return parsed;
}

std::unique_ptr<FileCutter> FileCutter::Open(std::string path, std::unique_ptr<ByteReader> reader,
                                             const Settings& settings, std::shared_ptr<const ReadOptions> options) {
  std::unique_ptr<FileCutter> cutter(new FileCutter(settings, std::move(options)));
  cutter->file_->path = std::move(path);
  cutter->file_->format = settings.format;
  cutter->file_->reader = std::move(reader);
  cutter->Begin();
  return cutter;
}

// Looks at the beginning: format, and what the format wants to know of it.
void FileCutter::Begin() {
  OpenFile& file = *file_;
  mapped_ = file.reader->is_mapped();
  if (!mapped_) Fill(kHeadBytes);
  const std::string_view head = mapped_ ? file.reader->mapped() : std::string_view(buffer_);
  if (file.format == nullptr && !head.empty()) {
    const absl::StatusOr<const Format*> format = DetectFormat(file.path, head.substr(0, kHeadBytes));
    if (!format.ok()) {
      detect_error_ = Message(format.status());
      return;
    }
    file.format = *format;
  }
  if (file.format == nullptr || file.format->framing() != Format::Framing::kBlocks) return;
  if (!mapped_) Fill(settings_.block_bytes);
  file.state = file.format->Prepare(mapped_ ? head : std::string_view(buffer_), options_);
}

std::optional<Piece> FileCutter::Next() {
  if (done_) return std::nullopt;
  if (!detect_error_.empty()) {
    done_ = true;
    SkipRest();
    return RejectPiece(0, position_, detect_error_);
  }
  if (file_->format != nullptr && file_->format->framing() == Format::Framing::kRows) return NextRows();
  if (mapped_ && file_->reader->mapped().empty()) return std::nullopt;
  if (file_->format != nullptr && file_->format->framing() == Format::Framing::kWholeFile) return WholeFile();
  if (mapped_) return NextMapped();
  if (buffer_.empty() && drained_) return std::nullopt;
  return NextDecompressed();
}

Piece FileCutter::Account(Piece piece) {
  const uint64_t consumed = mapped_ ? position_ : file_->reader->consumed();
  piece.consumed = consumed - reported_;
  reported_ = consumed;
  return piece;
}

Piece FileCutter::RejectPiece(uint64_t begin, uint64_t end, std::string reason) {
  Piece piece;
  piece.file = file_;
  piece.parsed.rejects.push_back({Origin{file_->path, begin, end}, std::move(reason)});
  piece.uncompressed = end - begin;
  return Account(std::move(piece));
}

Piece FileCutter::NextMapped() {
  const std::string_view all = file_->reader->mapped();
  const std::string_view rest = all.substr(position_);
  size_t size = rest.size();
  if (size > settings_.block_bytes) {
    const size_t cut = file_->format->Cut(rest, position_, settings_.block_bytes, true, file_->state.get(), options_);
    if (cut > 0) size = cut;
  }
  Piece piece;
  piece.file = file_;
  piece.bytes = rest.substr(0, size);
  piece.begin = position_;
  piece.padding = rest.size() - size;
  piece.uncompressed = size;
  position_ += size;
  done_ = size == rest.size();
  piece.last = done_;
  return Account(std::move(piece));
}

// Reads on until the buffer has `size` bytes, or the file ends or breaks.
void FileCutter::Fill(size_t size) {
  while (buffer_.size() < size && !Ended()) {
    const size_t before = buffer_.size();
    const size_t wanted = std::min<size_t>(size - before, size_t{1} << 20);
    buffer_.resize(before + wanted);
    const absl::StatusOr<size_t> count = file_->reader->Read(buffer_.data() + before, wanted);
    buffer_.resize(before + (count.ok() ? *count : 0));
    if (!count.ok()) broken_ = count.status();
    if (count.ok() && *count == 0) drained_ = true;
  }
}

void FileCutter::SkipRest() {
  if (mapped_) {
    position_ = file_->reader->mapped().size();
    return;
  }
  while (!Ended()) {
    buffer_.clear();
    Fill(size_t{1} << 20);
  }
  buffer_.clear();
  position_ = file_->reader->offset();
}

Piece FileCutter::TakeBuffered(size_t size) {
  Piece piece;
  piece.file = file_;
  std::string rest = buffer_.substr(size);
  piece.last = drained_ && rest.empty();
  piece.owned = std::move(buffer_);
  buffer_ = std::move(rest);
  piece.owned.resize(size);
  piece.owned.resize(size + kPadding, ' ');
  piece.padding = kPadding;
  piece.bytes = std::string_view(piece.owned).substr(0, size);
  piece.begin = position_;
  piece.uncompressed = size;
  position_ += size;
  return Account(std::move(piece));
}

Piece FileCutter::NextDecompressed() {
  for (size_t target = settings_.block_bytes;; target *= 2) {
    Fill(target);
    if (drained_ && buffer_.size() <= settings_.block_bytes) {
      done_ = true;
      return TakeBuffered(buffer_.size());
    }
    const bool whole_tail = !broken_.ok();
    const size_t cut = buffer_.empty()
                           ? 0
                           : file_->format->Cut(buffer_, position_, whole_tail ? buffer_.size() : settings_.block_bytes,
                                                drained_, file_->state.get(), options_);
    if (cut > 0) return TakeBuffered(cut);
    if (drained_) {
      done_ = true;
      return TakeBuffered(buffer_.size());
    }
    if (whole_tail) {  // nothing whole is left before the break
      done_ = true;
      const uint64_t end = position_ + buffer_.size();
      Piece piece = RejectPiece(position_, end, Message(broken_));
      position_ = end;
      return piece;
    }
    if (buffer_.size() > options_.record_limit + kLimitSlack) return OversizeRecord();
  }
}

// The buffer begins with a record that is longer than the limit: drops it up to where reading may go on.
Piece FileCutter::OversizeRecord() {
  const uint64_t begin = position_;
  while (true) {
    const size_t resync = file_->format->Resync(buffer_);
    if (resync != std::string::npos) {
      position_ += resync;
      buffer_.erase(0, resync);
      break;
    }
    // The boundary may lie across two reads: a little of this one is looked at again.
    const size_t kept = std::min<size_t>(buffer_.size(), kLimitSlack);
    const size_t dropped = buffer_.size() - kept;
    position_ += dropped;
    buffer_.erase(0, dropped);
    if (Ended()) {
      position_ += buffer_.size();
      buffer_.clear();
      break;
    }
    Fill(kept + (size_t{1} << 20));
  }
  return RejectPiece(begin, position_, fmt::format("record longer than {} bytes", options_.record_limit));
}

Piece FileCutter::WholeFile() {
  done_ = true;
  if (mapped_) {
    const std::string_view all = file_->reader->mapped();
    position_ = all.size();
    if (all.size() > options_.record_limit) {
      return RejectPiece(0, all.size(), fmt::format("file longer than {} bytes", options_.record_limit));
    }
    Piece piece;
    piece.file = file_;
    piece.bytes = all;
    piece.uncompressed = all.size();
    return Account(std::move(piece));
  }
  Fill(options_.record_limit + 1);
  if (!broken_.ok()) {
    position_ = buffer_.size();
    return RejectPiece(0, position_, Message(broken_));
  }
  if (buffer_.size() > options_.record_limit) {
    SkipRest();
    return RejectPiece(0, position_, fmt::format("file longer than {} bytes", options_.record_limit));
  }
  return TakeBuffered(buffer_.size());
}

Piece FileCutter::NextRows() {
  const uint64_t size = file_->reader->mapped().size();
  if (!mapped_) {
    done_ = true;
    SkipRest();
    return RejectPiece(
        0, position_,
        fmt::format("{} inside a compressed file, an archive or a stream: unpack it first", file_->format->name()));
  }
  if (!rows_) {
    absl::StatusOr<std::unique_ptr<RowReader>> rows =
        file_->format->OpenRows(file_->path, options_, settings_.memory_bytes);
    if (!rows.ok()) {
      done_ = true;
      position_ = size;
      return RejectPiece(0, size, Message(rows.status()));
    }
    rows_ = *std::move(rows);
  }
  Piece piece;
  piece.file = file_;
  const absl::StatusOr<bool> more = rows_->Next(piece.parsed);
  if (!more.ok()) piece.parsed.rejects.push_back({Origin{file_->path, 0, size}, Message(more.status())});
  if (!more.ok() || !*more) {
    done_ = true;
    position_ = size;
    piece.uncompressed = size;
  }
  return Account(std::move(piece));
}

}  // namespace rhodes
