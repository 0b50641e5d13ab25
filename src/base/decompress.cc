#include "base/decompress.h"

#include <algorithm>
#include <cstring>

namespace rhodes {

Compression DetectCompression(std::string_view head) {
  const auto begins = [&](std::string_view magic) { return head.substr(0, magic.size()) == magic; };
  if (begins("\x1F\x8B\x08")) return Compression::kGzip;
  if (begins("\x28\xB5\x2F\xFD")) return Compression::kZstd;
  // A skippable zstd frame (0x184D2A50 to 5F), which pzstd and seekable writers put first.
  if (head.size() >= 4 && (static_cast<uint8_t>(head[0]) & 0xF0) == 0x50 && head.substr(1, 3) == "\x2A\x4D\x18") {
    return Compression::kZstd;
  }
  // "BZh", the block size, then the first block's or the end's magic: "BZh" alone could begin a text.
  if (begins("BZh") && head.size() >= 10 && head[3] >= '1' && head[3] <= '9' &&
      (head.substr(4, 6) == "1AY&SY" || head.substr(4, 6) == "\x17\x72\x45\x38\x50\x90")) {
    return Compression::kBzip2;
  }
  if (begins(std::string_view("\xFD"
                              "7zXZ\0",
                              6))) {
    return Compression::kXz;
  }
  return Compression::kNone;
}

std::string_view CompressionName(Compression compression) {
  switch (compression) {
    case Compression::kNone:
      return "plain";
    case Compression::kGzip:
      return "gzip";
    case Compression::kZstd:
      return "zstd";
    case Compression::kBzip2:
      return "bzip2";
    case Compression::kXz:
      return "xz";
  }
  return "";
}

namespace {
constexpr size_t kRefill = 256 << 10;
constexpr size_t kEnough = 64 << 10;  // what a decoder is given at least, unless it is the last
}  // namespace

absl::StatusOr<std::unique_ptr<ByteReader>> ByteReader::Open(const std::string& path) {
  std::unique_ptr<ByteReader> reader(new ByteReader);
  ASSIGN_OR_RETURN(reader->file_, MappedFile::Open(path));
  reader->path_ = path;
  reader->bytes_ = reader->file_.bytes();
  reader->compression_ = DetectCompression(reader->bytes_.substr(0, 16));
  if (reader->compression_ != Compression::kNone) reader->decoder_ = Decoder::Create(reader->compression_);
  return reader;
}

std::unique_ptr<ByteReader> ByteReader::OfBytes(const std::string& path, std::string bytes) {
  std::unique_ptr<ByteReader> reader(new ByteReader);
  reader->path_ = path;
  reader->owned_ = std::move(bytes);
  reader->bytes_ = reader->owned_;
  reader->compression_ = DetectCompression(reader->bytes_.substr(0, 16));
  if (reader->compression_ != Compression::kNone) reader->decoder_ = Decoder::Create(reader->compression_);
  return reader;
}

absl::StatusOr<std::unique_ptr<ByteReader>> ByteReader::OfStream(const std::string& path, ByteSource source) {
  std::unique_ptr<ByteReader> reader(new ByteReader);
  reader->path_ = path;
  reader->source_ = std::move(source);
  RETURN_IF_ERROR(reader->Refill());
  reader->compression_ = DetectCompression(std::string_view(reader->pending_).substr(0, 16));
  if (reader->compression_ != Compression::kNone) reader->decoder_ = Decoder::Create(reader->compression_);
  return reader;
}

// Until a decoder has enough, or the stream has ended.
absl::Status ByteReader::Refill() {
  if (source_ended_ || pending_.size() - pending_begin_ >= kEnough) return absl::OkStatus();
  pending_.erase(0, pending_begin_);
  pending_begin_ = 0;
  while (pending_.size() < kEnough && !source_ended_) {
    const size_t before = pending_.size();
    pending_.resize(before + kRefill);
    const absl::StatusOr<size_t> count = source_(pending_.data() + before, kRefill);
    pending_.resize(before + (count.ok() ? *count : 0));
    if (!count.ok()) return Annotate(count.status(), "read " + path_);
    source_ended_ = *count == 0;
  }
  return absl::OkStatus();
}

absl::StatusOr<size_t> ByteReader::ReadPlain(char* output, size_t size) {
  std::string_view rest = bytes_.substr(source_ ? 0 : consumed_);
  if (source_) {
    if (absl::Status status = Refill(); !status.ok()) {
      // What came before the failure is given out first.
      if (pending_begin_ == pending_.size()) return broken_ = status;
    }
    rest = std::string_view(pending_).substr(pending_begin_);
  }
  const size_t count = std::min(size, rest.size());
  if (count > 0) std::memcpy(output, rest.data(), count);
  pending_begin_ += source_ ? count : 0;
  offset_ += count;
  consumed_ += count;
  return count;
}

void ByteReader::Release(std::string_view part) const {
  if (!file_.bytes().empty()) ReleasePages(part);  // OfBytes holds them itself
}

absl::StatusOr<size_t> ByteReader::Read(char* output, size_t size) {
  if (!broken_.ok()) return broken_;
  if (!decoder_) return ReadPlain(output, size);
  size_t total = 0;
  while (total < size) {
    absl::Status refilled = source_ ? Refill() : absl::OkStatus();
    const std::string_view input =
        source_ ? std::string_view(pending_).substr(pending_begin_) : bytes_.substr(consumed_);
    absl::StatusOr<Decoder::Step> step =
        refilled.ok() ? decoder_->Decode(input, !source_ || source_ended_, output + total, size - total)
                      : absl::StatusOr<Decoder::Step>(refilled);
    if (!step.ok()) {
      broken_ = absl::Status(step.status().code(), fmt::format("read {}: {} after {} uncompressed bytes", path_,
                                                               Message(step.status()), offset_));
      if (total == 0) return broken_;
      break;
    }
    if (step->consumed == 0 && step->produced == 0) break;
    if (source_) pending_begin_ += step->consumed;
    consumed_ += step->consumed;
    total += step->produced;
    offset_ += step->produced;
  }
  return total;
}

absl::StatusOr<std::string> ReadWholeFile(const std::string& path, uint64_t limit) {
  ASSIGN_OR_RETURN(const std::unique_ptr<ByteReader> reader, ByteReader::Open(path));
  std::string bytes;
  const bool plain = reader->is_mapped();
  size_t piece = plain ? reader->mapped().size() + 1 : size_t{256} << 10;
  while (true) {
    const size_t before = bytes.size();
    bytes.resize(before + piece);
    ASSIGN_OR_RETURN(const size_t count, reader->Read(bytes.data() + before, piece));
    bytes.resize(before + count);
    if (bytes.size() > limit) {
      return absl::ResourceExhaustedError(fmt::format("read {}: longer than {} bytes", path, limit));
    }
    if (count == 0) return bytes;
    piece = std::max(bytes.size(), size_t{256} << 10);
  }
}

}  // namespace rhodes
