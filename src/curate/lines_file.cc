#include "curate/lines_file.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "base/file.h"

namespace rhodes {
namespace {

constexpr size_t kBuffer = size_t{1} << 20;

// Bytes through a compressor into what takes them.
class Compressor {
 public:
  virtual ~Compressor() = default;
  // Appends what `bytes` become to `out`; with `end` all that is held back.
  virtual absl::Status Compress(std::string_view bytes, bool end, std::string& out) = 0;
};

class Plain final : public Compressor {
 public:
  absl::Status Compress(std::string_view bytes, bool /*end*/, std::string& out) override {
    out += bytes;
    return absl::OkStatus();
  }
};

class Gzip final : public Compressor {
 public:
  Gzip() { ready_ = deflateInit2(&stream_, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK; }
  ~Gzip() override { deflateEnd(&stream_); }
  absl::Status Compress(std::string_view bytes, bool end, std::string& out) override {
    if (!ready_) return absl::InternalError("gzip: no memory");
    while (true) {
      const size_t part = std::min<size_t>(bytes.size(), size_t{1} << 30);
      const bool last = end && part == bytes.size();
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
      stream_.avail_in = static_cast<uInt>(part);
      int result = Z_OK;
      do {
        const size_t before = out.size();
        out.resize(before + kBuffer);
        stream_.next_out = reinterpret_cast<Bytef*>(out.data() + before);
        stream_.avail_out = static_cast<uInt>(kBuffer);
        result = deflate(&stream_, last ? Z_FINISH : Z_NO_FLUSH);
        out.resize(before + kBuffer - stream_.avail_out);
        if (result == Z_STREAM_ERROR) return absl::InternalError("gzip: stream error");
      } while (stream_.avail_out == 0 || (last && result != Z_STREAM_END));
      bytes.remove_prefix(part);
      if (bytes.empty()) return absl::OkStatus();
    }
  }

 private:
  z_stream stream_{};
  bool ready_ = false;
};

class Zstandard final : public Compressor {
 public:
  Zstandard() : context_(ZSTD_createCCtx(), &ZSTD_freeCCtx) {
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, 3);
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1);
  }
  absl::Status Compress(std::string_view bytes, bool end, std::string& out) override {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    while (true) {
      const size_t before = out.size();
      out.resize(before + kBuffer);
      ZSTD_outBuffer to{out.data() + before, kBuffer, 0};
      const size_t left = ZSTD_compressStream2(context_.get(), &to, &in, end ? ZSTD_e_end : ZSTD_e_continue);
      out.resize(before + to.pos);
      if (ZSTD_isError(left) != 0) return absl::InternalError(fmt::format("zstd: {}", ZSTD_getErrorName(left)));
      if (in.pos == in.size && (!end || left == 0)) return absl::OkStatus();
    }
  }

 private:
  std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context_;
};

class File final : public LinesFile {
 public:
  File(std::string path, std::unique_ptr<Compressor> compressor)
      : path_(std::move(path)), partial_(path_ + ".partial"), compressor_(std::move(compressor)) {}
  ~File() override {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!committed_) ::unlink(partial_.c_str());
  }

  absl::Status Open() {
    descriptor_ = ::open(partial_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    return descriptor_ < 0 ? ErrnoError(errno, "create", partial_) : absl::OkStatus();
  }
  absl::Status Append(std::string_view bytes) override {
    pending_ += bytes;
    return pending_.size() < kBuffer ? absl::OkStatus() : Flush(false);
  }
  absl::Status Finish() override {
    RETURN_IF_ERROR(Flush(true));
    return ::fsync(descriptor_) == 0 ? absl::OkStatus() : ErrnoError(errno, "sync", partial_);
  }
  absl::Status Commit() override {
    RETURN_IF_ERROR(Rename(partial_, path_));
    committed_ = true;
    return absl::OkStatus();
  }
  const std::string& partial() const override { return partial_; }

 private:
  absl::Status Flush(bool end) {
    std::string out;
    RETURN_IF_ERROR(compressor_->Compress(pending_, end, out));
    pending_.clear();
    std::string_view left = out;
    while (!left.empty()) {
      const ssize_t count = ::write(descriptor_, left.data(), left.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return ErrnoError(errno, "write", partial_);
      left.remove_prefix(static_cast<size_t>(count));
    }
    return absl::OkStatus();
  }

  const std::string path_, partial_;
  std::unique_ptr<Compressor> compressor_;
  std::string pending_;
  int descriptor_ = -1;
  bool committed_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<LinesFile>> LinesFile::Create(const std::string& path) {
  std::unique_ptr<Compressor> compressor;
  if (path.ends_with(".gz")) {
    compressor = std::make_unique<Gzip>();
  } else if (path.ends_with(".zst")) {
    compressor = std::make_unique<Zstandard>();
  } else {
    compressor = std::make_unique<Plain>();
  }
  auto file = std::make_unique<File>(path, std::move(compressor));
  RETURN_IF_ERROR(file->Open());
  return file;
}

}  // namespace rhodes
