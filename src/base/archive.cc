#include "base/archive.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>

#include "base/file.h"
#include "base/text.h"

namespace rhodes {
namespace {

constexpr size_t kBlock = 256 << 10;

bool IsUnsafe(std::string_view name) {
  if (name.starts_with('/') || name.starts_with('\\') || (name.size() > 1 && name[1] == ':')) return true;
  for (const std::string_view part : Split(name, '/')) {
    if (part == "..") return true;
  }
  return false;
}

absl::Status Failure(struct archive* archive, const std::string& path, std::string_view what) {
  const char* reason = archive_error_string(archive);
  return absl::DataLossError(fmt::format("{} {}: {}", what, path, reason != nullptr ? reason : "broken archive"));
}

}  // namespace

bool IsArchiveName(std::string_view path) {
  const std::string lower = LowerAscii(path.substr(path.size() - std::min<size_t>(path.size(), 10)));
  for (const std::string_view suffix :
       {".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tbz", ".tar.xz", ".txz", ".tar.zst", ".tzst"}) {
    if (lower.ends_with(suffix)) return true;
  }
  return false;
}

bool IsArchiveHead(std::string_view head) {
  return head.starts_with("PK\x03\x04") || head.starts_with("PK\x05\x06") ||
         (head.size() >= 262 && head.substr(257, 5) == "ustar");
}

absl::StatusOr<std::unique_ptr<ArchiveReader>> ArchiveReader::Open(const std::string& path) {
  ASSIGN_OR_RETURN(const uint64_t size, FileSize(path));
  struct archive* archive = archive_read_new();
  if (archive == nullptr) return absl::ResourceExhaustedError("out of memory");
  std::unique_ptr<ArchiveReader> reader(new ArchiveReader(path, size, archive));
  // Just what is promised: libarchive knows dozens of formats, each of them a parser of untrusted bytes.
  archive_read_support_format_zip(archive);
  archive_read_support_format_tar(archive);
  archive_read_support_format_gnutar(archive);
  archive_read_support_filter_gzip(archive);
  archive_read_support_filter_bzip2(archive);
  archive_read_support_filter_xz(archive);
  archive_read_support_filter_zstd(archive);
  if (archive_read_open_filename(archive, path.c_str(), kBlock) != ARCHIVE_OK) {
    const absl::Status broken = Failure(archive, path, "open");
    return absl::InvalidArgumentError(Message(broken));
  }
  return reader;
}

ArchiveReader::~ArchiveReader() { archive_read_free(archive_); }

uint64_t ArchiveReader::consumed() const {
  const int64_t bytes = archive_filter_bytes(archive_, -1);
  return bytes > 0 ? static_cast<uint64_t>(bytes) : 0;
}

absl::StatusOr<std::optional<ArchiveMember>> ArchiveReader::Next() {
  struct archive_entry* entry = nullptr;
  const int code = archive_read_next_header(archive_, &entry);
  if (code == ARCHIVE_EOF) return std::nullopt;
  // A warning is about names that the locale cannot hold, or times out of range: the member can be read.
  if (code != ARCHIVE_OK && code != ARCHIVE_WARN) return Failure(archive_, path_, "read");
  ArchiveMember member;
  const char* name = archive_entry_pathname_utf8(entry);
  if (name == nullptr) name = archive_entry_pathname(entry);
  member.name = name != nullptr ? name : "";
  if (archive_entry_size_is_set(entry) != 0) member.size = static_cast<uint64_t>(archive_entry_size(entry));
  member.regular = archive_entry_filetype(entry) == AE_IFREG && archive_entry_hardlink(entry) == nullptr;
  member.encrypted = archive_entry_is_data_encrypted(entry) > 0;
  member.unsafe = IsUnsafe(member.name);
  return member;
}

absl::StatusOr<size_t> ArchiveReader::Read(char* output, size_t size) {
  const la_ssize_t count = archive_read_data(archive_, output, size);
  if (count < 0) return Failure(archive_, path_, "read");
  unpacked_ += static_cast<uint64_t>(count);
  if (unpacked_ > kMostUnpacked && unpacked_ / kHighestRatio > size_) {
    return absl::DataLossError(
        fmt::format("{} bytes have unpacked to more than {}: an archive bomb, not read further", size_, unpacked_));
  }
  return static_cast<size_t>(count);
}

absl::StatusOr<std::unique_ptr<ByteReader>> OpenFileOrMember(const std::string& path) {
  const size_t mark = path.find(kMemberMark);
  if (mark == std::string::npos || PathExists(path)) return ByteReader::Open(path);
  ASSIGN_OR_RETURN(std::unique_ptr<ArchiveReader> opened, ArchiveReader::Open(path.substr(0, mark)));
  const std::shared_ptr<ArchiveReader> archive = std::move(opened);
  const std::string_view wanted = std::string_view(path).substr(mark + kMemberMark.size());
  while (true) {
    ASSIGN_OR_RETURN(const std::optional<ArchiveMember> member, archive->Next());
    if (!member) return absl::NotFoundError(fmt::format("{}: there is no such member in the archive", path));
    if (!member->regular || member->name != wanted) continue;
    return ByteReader::OfStream(path, [archive](char* output, size_t size) { return archive->Read(output, size); });
  }
}

}  // namespace rhodes
