#include "serve/record_bytes.h"

#include <algorithm>

#include "base/archive.h"

namespace rhodes {
namespace {

constexpr uint64_t kMaxRecordBytes = 64 << 20;
constexpr size_t kSkipBytes = 256 << 10;

// Reads up to `size` bytes; fewer only at the end of the file.
absl::StatusOr<std::string> ReadUpTo(ByteReader& reader, uint64_t size) {
  std::string bytes(size, '\0');
  size_t filled = 0;
  while (filled < bytes.size()) {
    ASSIGN_OR_RETURN(const size_t got, reader.Read(bytes.data() + filled, bytes.size() - filled));
    if (got == 0) break;
    filled += got;
  }
  bytes.resize(filled);
  return bytes;
}

absl::Status Skip(ByteReader& reader, uint64_t bytes) {
  while (bytes > 0) {
    ASSIGN_OR_RETURN(const std::string skipped, ReadUpTo(reader, std::min<uint64_t>(bytes, kSkipBytes)));
    if (skipped.empty()) return absl::OkStatus();  // the caller finds the file too short
    bytes -= skipped.size();
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<RecordBytes> ReadRecordBytes(const Origin& origin, uint64_t context) {
  if (origin.end < origin.begin || origin.end - origin.begin > kMaxRecordBytes) {
    return absl::ResourceExhaustedError(
        fmt::format("{}: bytes {} to {} are too many to show", origin.file, origin.begin, origin.end));
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<ByteReader> reader, OpenFileOrMember(origin.file));
  const uint64_t first = origin.begin - std::min(origin.begin, context);
  const uint64_t wanted = origin.end - first + context;
  std::string bytes;
  if (reader->is_mapped()) {
    const std::string_view all = reader->mapped();
    if (first <= all.size()) bytes = std::string(all.substr(first, wanted));
  } else {
    RETURN_IF_ERROR(Skip(*reader, first));
    ASSIGN_OR_RETURN(bytes, ReadUpTo(*reader, wanted));
  }
  if (first + bytes.size() < origin.end) {
    return absl::OutOfRangeError(
        fmt::format("{} has no bytes {} to {} any more", origin.file, origin.begin, origin.end));
  }
  RecordBytes result;
  result.before = bytes.substr(0, origin.begin - first);
  result.bytes = bytes.substr(origin.begin - first, origin.end - origin.begin);
  result.after = bytes.substr(origin.end - first);
  return result;
}

}  // namespace rhodes
