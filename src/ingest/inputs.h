// From what a user names (files, directories, globs) to a list of files, and whether anything in it changed.
#ifndef RHODES_INGEST_INPUTS_H_
#define RHODES_INGEST_INPUTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"

namespace rhodes {

struct InputFile {
  std::string path;  // absolute, without "." and ".."; symbolic links are kept as they are
  uint64_t size = 0;
  int64_t modified = 0;  // nanoseconds since 1970
  bool named = false;    // given by name, not found in a directory or by a glob
  bool stream = false;   // standard input; `path` is kStandardInput
};

// What `-` among the paths is called in messages and in the records' Origin.
inline constexpr char kStandardInput[] = "(standard input)";

// The regular files that `paths` stand for: "-" standard input; a file itself; a directory all files below it, sorted
// bytewise, hidden ones included, links to directories not followed; otherwise a glob (`*`, `?`, `[a-z]` within a
// component, `**` for any number of directories; hidden names only when the pattern has the dot), sorted bytewise. A
// path that exists is never taken for a glob. A file that several paths stand for is taken once, at its first place.
// NOT_FOUND naming the path or glob that nothing matches; INVALID_ARGUMENT for sockets, pipes and devices.
absl::StatusOr<std::vector<InputFile>> ResolveInputs(const std::vector<std::string>& paths);

struct Inputs {
  std::vector<InputFile> files;
  std::string fingerprint;  // a hash of every file's path, size and time of change; the same as long as none changed
};
// About 3 µs a file; contents are not read.
absl::StatusOr<Inputs> InputsAndFingerprint(const std::vector<std::string>& paths);
absl::StatusOr<std::string> InputsFingerprint(const std::vector<std::string>& paths);

}  // namespace rhodes

#endif  // RHODES_INGEST_INPUTS_H_
