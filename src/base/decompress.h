// Files as their uncompressed bytes: plain, gzip, zstd, bzip2 or xz, told apart by their first bytes, not by their
// name.
#ifndef RHODES_BASE_DECOMPRESS_H_
#define RHODES_BASE_DECOMPRESS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/status.h"

namespace rhodes {

enum class Compression { kNone, kGzip, kZstd, kBzip2, kXz };

// By magic bytes; kNone when none is known.
Compression DetectCompression(std::string_view head);
std::string_view CompressionName(Compression compression);

// A decoder of one compressed stream, or of several that follow each other (gzip members, zstd frames, ...).
class Decoder {
 public:
  // Memory: zstd windows up to 128 MiB, xz dictionaries up to 256 MiB; larger ones are refused with a message.
  static std::unique_ptr<Decoder> Create(Compression compression);
  virtual ~Decoder() = default;

  struct Step {
    size_t consumed = 0;  // of the input
    size_t produced = 0;  // of the output
  };
  // Decodes from `input` into `output`. `last`: nothing follows `input`. Neither consumed nor produced: the end when
  // `last`, else more input is wanted (it is enough to give 64 KiB, or the last of it).
  // DATA_LOSS "gzip: ends in the middle" or "gzip: <what is broken>".
  virtual absl::StatusOr<Step> Decode(std::string_view input, bool last, char* output, size_t output_size) = 0;
};

// Gives the next up to `size` bytes of something; 0 at its end only.
using ByteSource = std::function<absl::StatusOr<size_t>(char* output, size_t size)>;

// Reads one file from begin to end. Not thread-safe. A file that shrinks while it is being read ends the process with
// SIGBUS, as with any memory map; do not read files that are being rewritten in place.
class ByteReader {
 public:
  // NOT_FOUND, PERMISSION_DENIED, INVALID_ARGUMENT (not a regular file), each naming the path.
  static absl::StatusOr<std::unique_ptr<ByteReader>> Open(const std::string& path);
  // Of bytes that are here already, and of a stream (a pipe, an archive's member); `path` is for messages. A stream
  // that fails at its very beginning fails here.
  static std::unique_ptr<ByteReader> OfBytes(const std::string& path, std::string bytes);
  static absl::StatusOr<std::unique_ptr<ByteReader>> OfStream(const std::string& path, ByteSource source);

  // Copies up to `size` further bytes to `output` and returns how many; 0 only at the end (or for `size` 0).
  // DATA_LOSS "read FILE: gzip: ... after N uncompressed bytes": all bytes before the break were returned by earlier
  // calls; every later call returns the same error.
  absl::StatusOr<size_t> Read(char* output, size_t size);

  Compression compression() const { return compression_; }
  // Whether mapped() is the whole content: it is not compressed and no stream.
  bool is_mapped() const { return decoder_ == nullptr && !source_; }
  // The file's own bytes (of streams: none). Lives as long as this object.
  std::string_view mapped() const { return bytes_; }
  // Lets go of pages of mapped() that will not be looked at soon, where it is a file's.
  void Release(std::string_view part) const;
  uint64_t offset() const { return offset_; }      // uncompressed bytes returned so far
  uint64_t consumed() const { return consumed_; }  // bytes of the file used so far
  const std::string& path() const { return path_; }

 private:
  ByteReader() = default;
  absl::Status Refill();
  absl::StatusOr<size_t> ReadPlain(char* output, size_t size);

  std::string path_;
  MappedFile file_;
  std::string owned_;       // OfBytes
  std::string_view bytes_;  // of either
  ByteSource source_;       // OfStream
  std::string pending_;     // of it: read, from pending_begin_ on not yet used
  size_t pending_begin_ = 0;
  bool source_ended_ = false;
  Compression compression_ = Compression::kNone;
  std::unique_ptr<Decoder> decoder_;  // null for plain files
  uint64_t offset_ = 0;
  uint64_t consumed_ = 0;
  absl::Status broken_;
};

// The whole uncompressed file. RESOURCE_EXHAUSTED when it is longer than `limit`.
absl::StatusOr<std::string> ReadWholeFile(const std::string& path, uint64_t limit);

}  // namespace rhodes

#endif  // RHODES_BASE_DECOMPRESS_H_
