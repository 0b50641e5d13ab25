// What the system tells of the changes in one directory (inotify).
#ifndef RHODES_FOLLOW_DIRECTORY_WATCH_H_
#define RHODES_FOLLOW_DIRECTORY_WATCH_H_

#include <chrono>
#include <map>
#include <string>

namespace rhodes {

// Works without inotify too (none left, a file system that does not tell): then nothing is told. Not thread-safe.
class DirectoryWatch {
 public:
  explicit DirectoryWatch(std::string directory) : directory_(std::move(directory)) { Begin(); }
  ~DirectoryWatch();
  DirectoryWatch(const DirectoryWatch&) = delete;
  DirectoryWatch& operator=(const DirectoryWatch&) = delete;

  struct Changes {
    std::map<std::string, bool> names;  // files written, made or moved in; true: closed after writing, or moved in
    bool rescan = false;                // something left, or there was more than could be told
  };
  // What happened since the last call; waits for the first thing to happen, up to `wait`.
  Changes Wait(std::chrono::milliseconds wait);

 private:
  void Begin();
  void End();

  const std::string directory_;
  int descriptor_ = -1;
};

}  // namespace rhodes

#endif  // RHODES_FOLLOW_DIRECTORY_WATCH_H_
