// Which files a source has taken in: OUT/records/<source>/files.jsonl, a line each.
#ifndef RHODES_STORE_TAKEN_FILES_H_
#define RHODES_STORE_TAKEN_FILES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "base/status.h"

namespace rhodes {

struct TakenFile {
  std::string path;  // absolute
  uint64_t size = 0;
  std::string content;   // ContentFingerprint of the file's bytes as they lie on the disk; empty: a stream
  std::string settings;  // a hash of how it was read: format, columns, ...
  uint64_t read = 0;     // records and rejects it gave
  uint64_t bytes = 0;    // uncompressed
};

// Files by content. Reading is thread-safe.
class TakenFiles {
 public:
  // The lines of `path` up to `bytes`; nothing when there is no such file. DATA_LOSS for a damaged line.
  static absl::StatusOr<TakenFiles> Read(const std::string& path, uint64_t bytes);
  void Add(TakenFile file);
  // A file of this content that was read with these settings, or null.
  const TakenFile* Find(const std::string& content, const std::string& settings) const;
  // Whether any file of this size was taken: only then may another one have the same content.
  bool HasSize(uint64_t size) const { return sizes_.contains(size); }
  // Whether the very path is listed with that content and settings.
  bool HasPath(const TakenFile& file) const;

 private:
  static std::string KeyOf(const std::string& content, const std::string& settings) { return content + settings; }
  absl::flat_hash_map<std::string, TakenFile> by_content_;
  absl::flat_hash_map<std::string, bool> by_path_;
  absl::flat_hash_set<uint64_t> sizes_;
};

// One line of the log.
std::string ToLine(const TakenFile& file);

}  // namespace rhodes

#endif  // RHODES_STORE_TAKEN_FILES_H_
