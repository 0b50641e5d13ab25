#include "ingest/x_archives.h"

#include <algorithm>

#include "base/archive.h"
#include "source/format.h"
#include "source/x_archive.h"

namespace rhodes {
namespace {

constexpr uint64_t kMostManifest = 16 << 20;

bool IsManifest(std::string_view bytes) { return bytes.substr(0, 256).find("__THAR_CONFIG") != std::string_view::npos; }

// "/a/x/data/manifest.js" lies in the archive "/a/x/".
XArchive ArchiveOf(std::string_view manifest_path, std::string_view manifest) {
  std::string_view root = manifest_path.substr(0, manifest_path.size() - FileName(manifest_path).size());
  if (root == "data/" || root.ends_with("/data/")) root.remove_suffix(5);
  return {std::string(root), XArchiveOwner(manifest)};
}

}  // namespace

std::vector<XArchive> FindXArchives(const std::vector<InputFile>& files) {
  std::vector<XArchive> archives;
  for (const InputFile& file : files) {
    if (file.stream || file.size > kMostManifest || FileName(file.path) != "manifest.js") continue;
    const absl::StatusOr<std::string> manifest = ReadWholeFile(file.path, kMostManifest);
    if (manifest.ok() && IsManifest(*manifest)) archives.push_back(ArchiveOf(file.path, *manifest));
  }
  return archives;
}

std::optional<XArchive> FindXArchiveInZip(const std::string& path) {
  const absl::StatusOr<std::unique_ptr<ArchiveReader>> archive = ArchiveReader::Open(path);
  if (!archive.ok()) return std::nullopt;
  while (true) {
    const absl::StatusOr<std::optional<ArchiveMember>> member = (*archive)->Next();
    if (!member.ok() || !member->has_value()) return std::nullopt;
    if (!(*member)->regular || FileName((*member)->name) != "manifest.js") continue;
    std::string manifest(kMostManifest, '\0');
    size_t size = 0;
    while (size < manifest.size()) {
      const absl::StatusOr<size_t> count = (*archive)->Read(manifest.data() + size, manifest.size() - size);
      if (!count.ok() || *count == 0) break;
      size += *count;
    }
    manifest.resize(size);
    if (IsManifest(manifest)) return ArchiveOf((*member)->name, manifest);
  }
}

std::string XArchiveSkipReason(std::string_view path) {
  switch (XArchivePartOf(FileName(path))) {
    case XArchivePart::kPosts:
      return "";
    case XArchivePart::kManifest:
      return "the manifest of an X archive: read for the account's name only";
    case XArchivePart::kPrivate:
      return "a private part of an X archive: never read";
    case XArchivePart::kOther:
      return "a part of an X archive without posts";
  }
  return "";
}

}  // namespace rhodes
