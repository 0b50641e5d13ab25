#include "follow/directory_watch.h"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <thread>

namespace rhodes {
namespace {

constexpr uint32_t kEvents = IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
                             IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

}  // namespace

DirectoryWatch::~DirectoryWatch() { End(); }

void DirectoryWatch::Begin() {
  descriptor_ = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (descriptor_ >= 0 && ::inotify_add_watch(descriptor_, directory_.c_str(), kEvents) < 0) End();
}

void DirectoryWatch::End() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

DirectoryWatch::Changes DirectoryWatch::Wait(std::chrono::milliseconds wait) {
  Changes changes;
  if (descriptor_ < 0) {
    std::this_thread::sleep_for(wait);
    Begin();  // the directory may be there again
    changes.rescan = descriptor_ >= 0;
    return changes;
  }
  pollfd entry = {descriptor_, POLLIN, 0};
  if (::poll(&entry, 1, static_cast<int>(std::clamp<int64_t>(wait.count(), 0, 60'000))) <= 0) return changes;
  alignas(inotify_event) std::array<char, 64 << 10> buffer;
  // Only as much as there is now: a busy directory must not hold us here.
  for (int round = 0; round < 16; ++round) {
    const ssize_t got = ::read(descriptor_, buffer.data(), buffer.size());
    if (got <= 0) return changes;
    for (size_t at = 0; at + sizeof(inotify_event) <= static_cast<size_t>(got);) {
      inotify_event event;
      std::memcpy(&event, buffer.data() + at, sizeof(event));
      const char* name = buffer.data() + at + sizeof(event);
      at += sizeof(event) + event.len;
      if ((event.mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF)) != 0) {
        End();
        changes.rescan = true;
        return changes;
      }
      if ((event.mask & (IN_Q_OVERFLOW | IN_MOVED_FROM | IN_DELETE)) != 0) changes.rescan = true;
      if (event.len == 0 || (event.mask & (IN_MOVED_FROM | IN_DELETE | IN_ISDIR)) != 0) continue;
      bool& closed = changes.names[name];
      // What is written after it was closed is not closed again.
      if ((event.mask & (IN_CLOSE_WRITE | IN_MOVED_TO)) != 0) closed = true;
      if ((event.mask & IN_MODIFY) != 0) closed = false;
    }
  }
  return changes;
}

}  // namespace rhodes
