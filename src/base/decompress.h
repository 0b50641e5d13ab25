// Files as their uncompressed bytes: plain, gzip, zstd, bzip2 or xz, told apart by their first bytes, not by their
// name.
#ifndef RHODES_BASE_DECOMPRESS_H_
#define RHODES_BASE_DECOMPRESS_H_

#include <cstddef>
#include <cstdint>
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
  // Decodes from `input` (all the rest of the compressed bytes) into `output`. Neither consumed nor produced: the end.
  // DATA_LOSS "gzip: ends in the middle" or "gzip: <what is broken>".
  virtual absl::StatusOr<Step> Decode(std::string_view input, char* output, size_t output_size) = 0;
};

// Reads one file from begin to end. Not thread-safe. A file that shrinks while it is being read ends the process with
// SIGBUS, as with any memory map; do not read files that are being rewritten in place.
class ByteReader {
 public:
  // NOT_FOUND, PERMISSION_DENIED, INVALID_ARGUMENT (not a regular file), each naming the path.
  static absl::StatusOr<std::unique_ptr<ByteReader>> Open(const std::string& path);

  // Copies up to `size` further bytes to `output` and returns how many; 0 only at the end (or for `size` 0).
  // DATA_LOSS "read FILE: gzip: ... after N uncompressed bytes": all bytes before the break were returned by earlier
  // calls; every later call returns the same error.
  absl::StatusOr<size_t> Read(char* output, size_t size);

  Compression compression() const { return compression_; }
  // The whole file when it is not compressed. Lives as long as this object.
  std::string_view mapped() const { return file_.bytes(); }
  uint64_t offset() const { return offset_; }      // uncompressed bytes returned so far
  uint64_t consumed() const { return consumed_; }  // bytes of the file used so far
  const std::string& path() const { return path_; }

 private:
  ByteReader() = default;

  std::string path_;
  MappedFile file_;
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
