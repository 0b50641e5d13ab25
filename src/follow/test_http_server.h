// An HTTP server for tests that does to each connection what it is told: sends pieces, waits, breaks off.
#ifndef RHODES_FOLLOW_TEST_HTTP_SERVER_H_
#define RHODES_FOLLOW_TEST_HTTP_SERVER_H_

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/status.h"

namespace rhodes {

class TestHttpServer {
 public:
  // One accepted connection, its request read.
  class Connection {
   public:
    Connection(int descriptor, std::string got, const std::atomic<bool>& stopped)
        : request(std::move(got)), descriptor_(descriptor), stopped_(stopped) {}
    const std::string request;

    void Send(std::string_view bytes) {
      while (!bytes.empty() && !stopped_) {
        pollfd entry = {descriptor_, POLLOUT, 0};
        if (::poll(&entry, 1, 20) <= 0) continue;
        const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0) return;
        sent_ += static_cast<uint64_t>(sent);
        bytes.remove_prefix(static_cast<size_t>(sent));
      }
    }
    void Head(std::string_view headers = "", int status = 200) {
      Send(fmt::format("HTTP/1.1 {} X\r\n{}\r\n", status, headers));
    }
    void Chunk(std::string_view bytes) { Send(fmt::format("{:x}\r\n{}\r\n", bytes.size(), bytes)); }
    void Wait(int milliseconds) {
      for (int i = 0; i < milliseconds && !stopped_; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    // Until the client closes.
    void WaitForClient() {
      while (!stopped_) {
        pollfd entry = {descriptor_, POLLIN, 0};
        char byte;
        if (::poll(&entry, 1, 20) > 0 && ::recv(descriptor_, &byte, 1, 0) <= 0) return;
      }
    }
    // Breaks the connection off: a reset, not an end.
    void Reset() {
      const linger now = {1, 0};
      ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    }
    uint64_t sent() const { return sent_; }

   private:
    const int descriptor_;
    const std::atomic<bool>& stopped_;
    std::atomic<uint64_t> sent_{0};
  };
  using Handler = std::function<void(Connection&)>;

  // The n-th connection is handled by the n-th of `script`, all later ones by the last.
  explicit TestHttpServer(std::vector<Handler> script) : script_(std::move(script)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0 && ::listen(listener_, 16) == 0 &&
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0) {
      port_ = ntohs(address.sin_port);
    }
    thread_ = std::thread([this] { Serve(); });
  }
  ~TestHttpServer() {
    stopped_ = true;
    thread_.join();
    ::close(listener_);
  }

  int port() const { return port_; }
  int connections() const { return connections_; }
  std::vector<std::string> requests() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return requests_;
  }

 private:
  void Serve() {
    while (!stopped_) {
      pollfd entry = {listener_, POLLIN, 0};
      if (::poll(&entry, 1, 20) <= 0) continue;
      const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (descriptor < 0) continue;
      Connection connection(descriptor, ReadRequest(descriptor), stopped_);
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        requests_.push_back(connection.request);
      }
      const size_t index = static_cast<size_t>(connections_++);
      script_[std::min(index, script_.size() - 1)](connection);
      ::close(descriptor);
    }
  }
  std::string ReadRequest(int descriptor) const {
    std::string request;
    while (!stopped_ && request.find("\r\n\r\n") == std::string::npos) {
      pollfd entry = {descriptor, POLLIN, 0};
      if (::poll(&entry, 1, 20) <= 0) continue;
      char bytes[4096];
      const ssize_t got = ::recv(descriptor, bytes, sizeof(bytes), 0);
      if (got <= 0) break;
      request.append(bytes, static_cast<size_t>(got));
    }
    return request;
  }

  const std::vector<Handler> script_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopped_{false};
  std::atomic<int> connections_{0};
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

}  // namespace rhodes

#endif  // RHODES_FOLLOW_TEST_HTTP_SERVER_H_
