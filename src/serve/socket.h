// A connected TCP socket whose reads and writes have deadlines.
#ifndef RHODES_SERVE_SOCKET_H_
#define RHODES_SERVE_SOCKET_H_

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "base/status.h"

namespace rhodes {

using SocketClock = std::chrono::steady_clock;

// Owns the descriptor.
class Socket {
 public:
  explicit Socket(int descriptor = -1) : descriptor_(descriptor) {}
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket();

  int descriptor() const { return descriptor_; }
  // Reads at least one byte; 0 at the end of the stream. DEADLINE_EXCEEDED, or UNAVAILABLE for a broken connection.
  absl::StatusOr<size_t> Read(char* buffer, size_t size, SocketClock::time_point deadline);
  // Writes all of it.
  absl::Status Write(std::string_view bytes, SocketClock::time_point deadline);
  // The other side has closed, or the connection broke.
  bool PeerGone() const;
  // Says that nothing more will be written and reads what still comes, for at most half a second: closing with
  // unread bytes would tear away the answer before the client has read it.
  void Linger();
  // Wakes a thread that waits in Read. From any thread.
  void ShutDown();

 private:
  int descriptor_;
};

// A listening socket on host:port (0: any free one). Errors as HttpServer::Listen.
absl::StatusOr<Socket> ListenOn(const std::string& host, int port);
int BoundPort(const Socket& listener);

}  // namespace rhodes

#endif  // RHODES_SERVE_SOCKET_H_
