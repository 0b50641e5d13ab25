// Zip and tar archives, read member by member without unpacking anything to the disk.
#ifndef RHODES_BASE_ARCHIVE_H_
#define RHODES_BASE_ARCHIVE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/decompress.h"
#include "base/status.h"

struct archive;

namespace rhodes {

// Whether a file of this name is taken for an archive: .zip, .tar, and .tar or .t.. with gz, bz2, xz or zst behind.
bool IsArchiveName(std::string_view path);
// Whether a file begins as an uncompressed archive does (zip, or tar with the "ustar" mark).
bool IsArchiveHead(std::string_view head);

struct ArchiveMember {
  std::string name;  // as in the archive, "/" between components
  std::optional<uint64_t> size;
  bool regular = false;    // a file: not a directory, link or device
  bool encrypted = false;  // its bytes cannot be read
  bool unsafe = false;     // absolute, or with ".." in it: nothing would be written there, but nothing good is meant
};

// Not thread-safe. Memory: a few hundred KiB and the decoders' windows.
class ArchiveReader {
 public:
  // NOT_FOUND and PERMISSION_DENIED naming the path; INVALID_ARGUMENT when it is no archive.
  static absl::StatusOr<std::unique_ptr<ArchiveReader>> Open(const std::string& path);
  ~ArchiveReader();
  ArchiveReader(const ArchiveReader&) = delete;
  ArchiveReader& operator=(const ArchiveReader&) = delete;

  // The next member, or nothing at the end. DATA_LOSS when the archive is broken from here on.
  absl::StatusOr<std::optional<ArchiveMember>> Next();
  // The next bytes of the current member; 0 at its end. DATA_LOSS when it breaks off, or when the archive unpacks to
  // more than kMostUnpacked and more than kHighestRatio times its own size: a bomb. Deflate reaches 1032, and what is
  // worth reading about 20.
  absl::StatusOr<size_t> Read(char* output, size_t size);

  uint64_t size() const { return size_; }  // of the archive's file
  uint64_t consumed() const;               // of it so far
  const std::string& path() const { return path_; }

  static constexpr uint64_t kMostUnpacked = uint64_t{1} << 30;
  static constexpr uint64_t kHighestRatio = 200;

 private:
  ArchiveReader(std::string path, uint64_t size, struct archive* archive)
      : path_(std::move(path)), size_(size), archive_(archive) {}
  const std::string path_;
  const uint64_t size_;
  struct archive* const archive_;
  uint64_t unpacked_ = 0;
};

// Between an archive's path and a member's name in the path of the member: "posts.zip!/data/tweets.js".
inline constexpr std::string_view kMemberMark = "!/";

// A file, or a member of an archive when `path` has the mark. NOT_FOUND when there is no such member.
absl::StatusOr<std::unique_ptr<ByteReader>> OpenFileOrMember(const std::string& path);

}  // namespace rhodes

#endif  // RHODES_BASE_ARCHIVE_H_
