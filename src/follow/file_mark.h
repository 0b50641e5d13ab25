// Which file it is, and how far it has been read: what a followed directory keeps of each file.
#ifndef RHODES_FOLLOW_FILE_MARK_H_
#define RHODES_FOLLOW_FILE_MARK_H_

#include <cstdint>
#include <optional>
#include <string>

#include "base/json.h"
#include "base/status.h"

namespace rhodes {

// A file's state as the system tells it. Times in nanoseconds since 1970.
struct FileState64 {
  uint64_t inode = 0;
  int64_t born = 0;  // 0: the file system does not tell
  uint64_t size = 0;
  int64_t modified = 0;
  int64_t changed = 0;  // the inode: set by every write and rename, and never set back
  bool regular = false;
  uint64_t links = 0;
};
// Of an open file, or of a path when `descriptor` is < 0 (symbolic links are followed). NOT_FOUND, PERMISSION_DENIED,
// ...
absl::StatusOr<FileState64> StateOfFile(int descriptor, const std::string& path);

struct FileMark {
  std::string name;  // the last one it was seen by
  uint64_t inode = 0;
  int64_t born = 0;
  // The file's first bytes: with inode and birth they tell it from one that came after it.
  uint64_t head_size = 0;
  std::string head;  // ContentFingerprint

  uint64_t size = 0;  // when last looked at
  int64_t modified = 0;
  int64_t changed = 0;

  uint64_t offset = 0;                 // tailed: all before is given out
  uint64_t pieces = 0;                 // read whole: so many pieces are given out
  uint64_t prepared = 0;               // so many first bytes told the format what it must know
  std::string format;                  // as detected; empty: not yet
  std::optional<uint64_t> skip_begin;  // within a record that is too long, which began there
  bool done = false;

  bool started() const { return done || offset > 0 || pieces > 0 || skip_begin; }
};

Json ToJson(const FileMark& mark);
// DATA_LOSS when it is no such mark.
absl::StatusOr<FileMark> FileMarkOf(const Json& json);

}  // namespace rhodes

#endif  // RHODES_FOLLOW_FILE_MARK_H_
