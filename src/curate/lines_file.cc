#include "curate/lines_file.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>

#include "base/file.h"

namespace rhodes {
namespace {

absl::StatusOr<std::string> Gzip(std::string_view bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    return absl::ResourceExhaustedError("gzip: no memory");
  }
  std::string out;
  int result = Z_OK;
  while (result == Z_OK) {
    const size_t part = std::min<size_t>(bytes.size(), size_t{1} << 30);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(part);
    const bool last = part == bytes.size();
    do {
      const size_t before = out.size();
      const size_t room = std::max<size_t>(part / 3, size_t{1} << 12);
      out.resize(before + room);
      stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
      stream.avail_out = static_cast<uInt>(room);
      result = deflate(&stream, last ? Z_FINISH : Z_NO_FLUSH);
      out.resize(before + room - stream.avail_out);
    } while (result == Z_OK && (stream.avail_out == 0 || last));
    bytes.remove_prefix(part);
  }
  deflateEnd(&stream);
  if (result != Z_STREAM_END) return absl::InternalError("gzip: stream error");
  return out;
}

absl::StatusOr<std::string> Zstandard(std::string_view bytes) {
  const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(), &ZSTD_freeCCtx);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, 3);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  const size_t size = ZSTD_compress2(context.get(), out.data(), out.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(size) != 0) return absl::InternalError(fmt::format("zstd: {}", ZSTD_getErrorName(size)));
  out.resize(size);
  return out;
}

class File final : public LinesFile {
 public:
  explicit File(std::string path) : path_(std::move(path)), partial_(path_ + ".partial") {}
  ~File() override {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!committed_) ::unlink(partial_.c_str());
  }

  absl::Status Open() {
    descriptor_ = ::open(partial_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    return descriptor_ < 0 ? ErrnoError(errno, "create", partial_) : absl::OkStatus();
  }
  absl::Status Append(std::string_view bytes) override {
    empty_ = empty_ && bytes.empty();
    while (!bytes.empty()) {
      const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return ErrnoError(errno, "write", partial_);
      bytes.remove_prefix(static_cast<size_t>(count));
    }
    return absl::OkStatus();
  }
  absl::Status Finish() override {
    if (empty_) {  // no bytes at all are no gzip file
      ASSIGN_OR_RETURN(const std::string nothing, CompressLines("", CompressionOf(path_)));
      RETURN_IF_ERROR(Append(nothing));
    }
    return ::fsync(descriptor_) == 0 ? absl::OkStatus() : ErrnoError(errno, "sync", partial_);
  }
  absl::Status Commit() override {
    RETURN_IF_ERROR(Rename(partial_, path_));
    committed_ = true;
    return absl::OkStatus();
  }

 private:
  const std::string path_, partial_;
  int descriptor_ = -1;
  bool empty_ = true;
  bool committed_ = false;
};

}  // namespace

LinesCompression CompressionOf(const std::string& path) {
  if (path.ends_with(".gz")) return LinesCompression::kGzip;
  return path.ends_with(".zst") ? LinesCompression::kZstd : LinesCompression::kNone;
}

absl::StatusOr<std::string> CompressLines(std::string lines, LinesCompression compression) {
  if (compression == LinesCompression::kGzip) return Gzip(lines);
  if (compression == LinesCompression::kZstd) return Zstandard(lines);
  return lines;
}

absl::StatusOr<std::unique_ptr<LinesFile>> LinesFile::Create(const std::string& path) {
  auto file = std::make_unique<File>(path);
  RETURN_IF_ERROR(file->Open());
  return file;
}

}  // namespace rhodes
