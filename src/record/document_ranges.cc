#include "record/document_ranges.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "base/decompress.h"
#include "base/file.h"
#include "base/text.h"

namespace rhodes {
namespace {

constexpr uint64_t kMinRange = uint64_t{1} << 20;
// Work is lost by a kill, and held by a thread, a range at a time.
constexpr uint64_t kMaxRange = uint64_t{16} << 20;
constexpr uint64_t kRanges = 64;

// The files that `path` stands for: itself, or those of a directory.
absl::StatusOr<std::vector<std::string>> Resolve(const std::string& path) {
  absl::StatusOr<std::vector<std::string>> listed = ListFiles(path);
  if (!listed.ok()) {
    if (!PathExists(path)) return absl::NotFoundError(fmt::format("read documents: {} is not there", path));
    if (!IsJsonName(path) && !IsParquetName(path)) {
      return absl::InvalidArgumentError(
          fmt::format("read documents: {}: the name ends in neither .parquet nor .jsonl (.gz, .zst)", path));
    }
    return std::vector<std::string>{path};
  }
  std::vector<std::string> parts;
  std::vector<std::string> others;
  for (const std::string& file : *listed) {
    const std::string name = file.substr(file.rfind('/') + 1);
    if (name.starts_with("part-") && IsParquetName(name)) {
      parts.push_back(file);
    } else if (IsParquetName(name) || IsJsonName(name)) {
      if (name != "manifest.json") others.push_back(file);
    }
  }
  if (!parts.empty()) return parts;
  // A stage may have kept nothing: then its folder holds a manifest and no part.
  if (others.empty() && !PathExists(path + "/manifest.json")) {
    return absl::NotFoundError(fmt::format("read documents: no .parquet or .jsonl file in {}", path));
  }
  return others;
}

absl::StatusOr<DocumentRange> WholeFile(const std::string& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return ErrnoError(errno, "read documents:", file);
  DocumentRange range;
  range.file = file;
  range.end = static_cast<uint64_t>(status.st_size);
  range.modified = int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
  if (IsParquetName(file)) return range;
  ASSIGN_OR_RETURN(const std::unique_ptr<ByteReader> reader, ByteReader::Open(file));
  range.by_bytes = reader->is_mapped();
  return range;
}

}  // namespace

bool IsParquetName(const std::string& path) { return LowerAscii(path).ends_with(".parquet"); }

bool IsJsonName(const std::string& path) {
  const std::string lower = LowerAscii(path);
  for (const char* suffix : {".jsonl", ".json", ".ndjson", ".jsonl.gz", ".json.gz", ".ndjson.gz", ".jsonl.zst",
                             ".json.zst", ".ndjson.zst"}) {
    if (lower.ends_with(suffix)) return true;
  }
  return false;
}

absl::StatusOr<std::vector<std::string>> DocumentFiles(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    ASSIGN_OR_RETURN(const std::vector<std::string> resolved, Resolve(path));
    files.insert(files.end(), resolved.begin(), resolved.end());
  }
  return files;
}

absl::StatusOr<std::vector<DocumentRange>> DocumentRanges(const std::vector<std::string>& paths) {
  ASSIGN_OR_RETURN(const std::vector<std::string> files, DocumentFiles(paths));
  std::vector<DocumentRange> whole;
  uint64_t bytes = 0;
  for (const std::string& file : files) {
    ASSIGN_OR_RETURN(whole.emplace_back(), WholeFile(file));
    if (whole.back().by_bytes) bytes += whole.back().end;
  }
  const uint64_t size = std::clamp(bytes / kRanges, kMinRange, kMaxRange);
  std::vector<DocumentRange> ranges;
  for (const DocumentRange& file : whole) {
    if (!file.by_bytes) {
      ranges.push_back(file);
      continue;
    }
    for (uint64_t begin = 0; begin < file.end; begin += size) {
      DocumentRange range = file;
      range.begin = begin;
      range.end = std::min(file.end, begin + size);
      ranges.push_back(std::move(range));
    }
  }
  return ranges;
}

}  // namespace rhodes
