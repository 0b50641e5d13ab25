// A directory into which files are written or moved, for as long as one likes.
#ifndef RHODES_FOLLOW_DIRECTORY_STREAM_H_
#define RHODES_FOLLOW_DIRECTORY_STREAM_H_

#include <chrono>
#include <memory>
#include <optional>

#include "follow/stream.h"

namespace rhodes {

// How long things take; tests make it all shorter.
struct DirectoryStreamTiming {
  std::chrono::milliseconds settle{1'000};          // after a file was closed, before it counts as whole
  std::optional<std::chrono::milliseconds> quiet;   // a file that does not change for so long is whole; none: the
                                                    // address's `quiet`
  std::optional<std::chrono::milliseconds> rescan;  // none: the address's
};

// dir:///path?format=F&pattern=*.jsonl&quiet=SECONDS&rescan=SECONDS: the files right in the directory whose names fit
// the pattern (of the shell; no name with a dot first unless the pattern has it).
//
// Plain files of formats that are cut into records are tailed: records are given as they become whole. Compressed files
// and those of formats that need all of a file are taken once they are whole: closed (or moved in) and unchanged for
// `settle`, or unchanged for `quiet` (30 s). Then what is left at the end of a tailed file is given too.
//
// A file is known by inode, birth and first bytes, whatever it is called: renaming it gives nothing again, rotating it
// loses nothing (also when its new name does not fit), a file that was cut short or written anew is read from its
// beginning. docs/following-schemes.md has the rules, and what position() keeps: for the newest finished files and all
// unfinished ones a mark each, and one time for all older ones.
//
// Errors of opening: UsageError for a wrong address or a path that is no directory. A directory that goes away later is
// trouble, not an error.
absl::StatusOr<std::unique_ptr<Stream>> OpenDirectoryStream(const StreamUrl& url, const Json& position,
                                                            const StreamOptions& options,
                                                            const DirectoryStreamTiming& timing = {});

}  // namespace rhodes

#endif  // RHODES_FOLLOW_DIRECTORY_STREAM_H_
