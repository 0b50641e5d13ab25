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

absl::StatusOr<std::unique_ptr<ByteReader>> ByteReader::Open(const std::string& path) {
  std::unique_ptr<ByteReader> reader(new ByteReader);
  ASSIGN_OR_RETURN(reader->file_, MappedFile::Open(path));
  reader->path_ = path;
  reader->compression_ = DetectCompression(reader->file_.bytes().substr(0, 16));
  if (reader->compression_ != Compression::kNone) reader->decoder_ = Decoder::Create(reader->compression_);
  return reader;
}

absl::StatusOr<size_t> ByteReader::Read(char* output, size_t size) {
  if (!broken_.ok()) return broken_;
  const std::string_view rest = file_.bytes().substr(consumed_);
  if (!decoder_) {
    const size_t count = std::min(size, rest.size());
    if (count > 0) std::memcpy(output, rest.data(), count);
    offset_ += count;
    consumed_ += count;
    return count;
  }
  size_t total = 0;
  while (total < size) {
    absl::StatusOr<Decoder::Step> step =
        decoder_->Decode(file_.bytes().substr(consumed_), output + total, size - total);
    if (!step.ok()) {
      broken_ = absl::Status(step.status().code(), fmt::format("read {}: {} after {} uncompressed bytes", path_,
                                                               Message(step.status()), offset_));
      if (total == 0) return broken_;
      break;
    }
    if (step->consumed == 0 && step->produced == 0) break;
    consumed_ += step->consumed;
    total += step->produced;
    offset_ += step->produced;
  }
  return total;
}

absl::StatusOr<std::string> ReadWholeFile(const std::string& path, uint64_t limit) {
  ASSIGN_OR_RETURN(const std::unique_ptr<ByteReader> reader, ByteReader::Open(path));
  std::string bytes;
  const bool plain = reader->compression() == Compression::kNone;
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
