// The decoders behind ByteReader, one class a library.
#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/decompress.h"

namespace rhodes {
namespace {

absl::Status Truncated(std::string_view name) {
  return absl::DataLossError(fmt::format("{}: the file ends in the middle (truncated)", name));
}

absl::Status Broken(std::string_view name, std::string_view what) {
  return absl::DataLossError(fmt::format("{}: {}", name, what));
}

unsigned int Clamp(size_t size) {
  return static_cast<unsigned int>(std::min<size_t>(size, std::numeric_limits<unsigned int>::max() / 2));
}

// Whether all that follows a finished stream is zero padding, which tar and tapes leave and gzip ignores too.
bool IsPadding(std::string_view rest) { return rest.find_first_not_of('\0') == std::string_view::npos; }

class GzipDecoder final : public Decoder {
 public:
  ~GzipDecoder() override {
    if (open_) inflateEnd(&stream_);
  }

  absl::StatusOr<Step> Decode(std::string_view input, bool last, char* output, size_t output_size) override {
    if (ended_) {  // between two members
      if (input.empty() || IsPadding(input)) return Step{};
      if (DetectCompression(input) != Compression::kGzip) return Broken("gzip", "other bytes follow its end");
      if (inflateReset(&stream_) != Z_OK) return Broken("gzip", "cannot reset");
      ended_ = false;
    }
    if (!open_) {
      if (inflateInit2(&stream_, 15 + 16) != Z_OK) return absl::ResourceExhaustedError("gzip: out of memory");
      open_ = true;
    }
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
    stream_.avail_in = Clamp(input.size());
    stream_.next_out = reinterpret_cast<Bytef*>(output);
    stream_.avail_out = Clamp(output_size);
    const unsigned int in = stream_.avail_in;
    const unsigned int out = stream_.avail_out;
    const int code = inflate(&stream_, Z_NO_FLUSH);
    const Step step{in - stream_.avail_in, out - stream_.avail_out};
    if (code == Z_STREAM_END) {
      ended_ = true;
      return step;
    }
    if (step.produced > 0) return step;  // an error comes back with the next call
    if (code == Z_BUF_ERROR || (code == Z_OK && input.size() == step.consumed)) {
      if (!last) return step;
      return Truncated("gzip");
    }
    if (code != Z_OK) return Broken("gzip", stream_.msg != nullptr ? stream_.msg : "broken data");
    return step;
  }

 private:
  z_stream stream_{};
  bool open_ = false;
  bool ended_ = false;
};

class ZstdDecoder final : public Decoder {
 public:
  ZstdDecoder() : stream_(ZSTD_createDStream()) {}
  ~ZstdDecoder() override { ZSTD_freeDStream(stream_); }

  absl::StatusOr<Step> Decode(std::string_view input, bool last, char* output, size_t output_size) override {
    if (stream_ == nullptr) return absl::ResourceExhaustedError("zstd: out of memory");
    if (failed_ != nullptr) return Broken("zstd", failed_);
    // Bytes may still wait inside the decoder when the input is used up, so ask it once more before believing so.
    if (input.empty() && left_ == 0) return Step{};
    ZSTD_inBuffer in{input.data(), input.size(), 0};
    ZSTD_outBuffer out{output, output_size, 0};
    const size_t code = ZSTD_decompressStream(stream_, &out, &in);
    if (ZSTD_isError(code) != 0) {
      failed_ = ZSTD_getErrorName(code);
      if (out.pos == 0) return Broken("zstd", failed_);
      return Step{in.pos, out.pos};
    }
    left_ = code;
    if (last && in.pos == input.size() && out.pos == 0 && left_ != 0) return Truncated("zstd");
    return Step{in.pos, out.pos};
  }

 private:
  ZSTD_DStream* stream_;
  size_t left_ = 0;  // what the frame still expects; 0 between frames
  const char* failed_ = nullptr;
};

class Bzip2Decoder final : public Decoder {
 public:
  ~Bzip2Decoder() override { Close(); }

  absl::StatusOr<Step> Decode(std::string_view input, bool last, char* output, size_t output_size) override {
    if (!open_) {
      if (begun_ && (input.empty() || IsPadding(input))) return Step{};
      if (begun_ && DetectCompression(input) != Compression::kBzip2) {
        return Broken("bzip2", "other bytes follow its end");
      }
      stream_ = bz_stream{};
      if (BZ2_bzDecompressInit(&stream_, 0, 0) != BZ_OK) return absl::ResourceExhaustedError("bzip2: out of memory");
      open_ = begun_ = true;
    }
    stream_.next_in = const_cast<char*>(input.data());
    stream_.avail_in = Clamp(input.size());
    stream_.next_out = output;
    stream_.avail_out = Clamp(output_size);
    const unsigned int in = stream_.avail_in;
    const unsigned int out = stream_.avail_out;
    const int code = failed_ == BZ_OK ? BZ2_bzDecompress(&stream_) : failed_;
    const Step step{in - stream_.avail_in, out - stream_.avail_out};
    if (code == BZ_STREAM_END) {
      Close();
      return step;
    }
    if (code != BZ_OK) {
      failed_ = code;
      if (step.produced > 0) return step;
      return Broken("bzip2", code == BZ_DATA_ERROR ? "checksum or data error" : "broken data");
    }
    if (last && step.produced == 0 && step.consumed == input.size()) return Truncated("bzip2");
    return step;
  }

 private:
  void Close() {
    if (open_) BZ2_bzDecompressEnd(&stream_);
    open_ = false;
  }
  bz_stream stream_{};
  bool open_ = false;
  bool begun_ = false;
  int failed_ = BZ_OK;
};

class XzDecoder final : public Decoder {
 public:
  static constexpr uint64_t kMemory = uint64_t{256} << 20;

  XzDecoder() : ready_(lzma_stream_decoder(&stream_, kMemory, LZMA_CONCATENATED) == LZMA_OK) {}
  ~XzDecoder() override { lzma_end(&stream_); }

  absl::StatusOr<Step> Decode(std::string_view input, bool last, char* output, size_t output_size) override {
    if (!ready_) return absl::ResourceExhaustedError("xz: out of memory");
    if (ended_) return Step{};
    stream_.next_in = reinterpret_cast<const uint8_t*>(input.data());
    stream_.avail_in = input.size();
    stream_.next_out = reinterpret_cast<uint8_t*>(output);
    stream_.avail_out = output_size;
    lzma_ret code = failed_ == LZMA_OK ? lzma_code(&stream_, last ? LZMA_FINISH : LZMA_RUN) : failed_;
    if (code == LZMA_BUF_ERROR && !last) return Step{};
    // liblzma says OK to the first call that cannot move, BUF_ERROR to the second.
    if (last && code == LZMA_OK && stream_.avail_in == input.size() && stream_.avail_out == output_size) {
      code = lzma_code(&stream_, LZMA_FINISH);
    }
    const Step step{input.size() - stream_.avail_in, output_size - stream_.avail_out};
    if (code == LZMA_STREAM_END) {
      ended_ = true;
      return step;
    }
    if (code == LZMA_OK) return step;
    failed_ = code;
    if (step.produced > 0) return step;
    if (code == LZMA_BUF_ERROR) return Truncated("xz");
    if (code == LZMA_MEMLIMIT_ERROR) return Broken("xz", "its dictionary needs more than 256 MiB");
    return Broken("xz", "broken data");
  }

 private:
  lzma_stream stream_ = LZMA_STREAM_INIT;
  bool ready_;
  bool ended_ = false;
  lzma_ret failed_ = LZMA_OK;
};

}  // namespace

std::unique_ptr<Decoder> Decoder::Create(Compression compression) {
  switch (compression) {
    case Compression::kNone:
      return nullptr;
    case Compression::kGzip:
      return std::make_unique<GzipDecoder>();
    case Compression::kZstd:
      return std::make_unique<ZstdDecoder>();
    case Compression::kBzip2:
      return std::make_unique<Bzip2Decoder>();
    case Compression::kXz:
      return std::make_unique<XzDecoder>();
  }
  return nullptr;
}

}  // namespace rhodes
