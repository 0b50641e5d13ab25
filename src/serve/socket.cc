#include "serve/socket.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace rhodes {
namespace {

// Waits for `events`; DEADLINE_EXCEEDED when they do not come.
absl::Status WaitFor(int descriptor, short events, SocketClock::time_point deadline) {
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - SocketClock::now()).count();
    if (left <= 0) return absl::DeadlineExceededError("the other side took too long");
    pollfd entry = {descriptor, events, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(std::min<int64_t>(left, 60'000)));
    if (ready > 0) return absl::OkStatus();
    if (ready < 0 && errno != EINTR) return ErrnoError(errno, "wait for", "a connection");
  }
}

absl::Status BindError(int error, const std::string& host, int port) {
  if (error == EADDRINUSE) {
    return absl::FailedPreconditionError(fmt::format("port {} is in use; choose another with --port", port));
  }
  if (error == EACCES) {
    return absl::PermissionDeniedError(
        fmt::format("port {} needs privileges; choose one above 1023 with --port", port));
  }
  return ErrnoError(error, "listen on", fmt::format("{} port {}", host, port));
}

}  // namespace

Socket::~Socket() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

absl::StatusOr<size_t> Socket::Read(char* buffer, size_t size, SocketClock::time_point deadline) {
  while (true) {
    const ssize_t got = ::recv(descriptor_, buffer, size, MSG_DONTWAIT);
    if (got >= 0) return static_cast<size_t>(got);
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      RETURN_IF_ERROR(WaitFor(descriptor_, POLLIN, deadline));
    } else if (errno != EINTR) {
      return ErrnoError(errno, "read from", "a connection");
    }
  }
}

absl::Status Socket::Write(std::string_view bytes, SocketClock::time_point deadline) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      RETURN_IF_ERROR(WaitFor(descriptor_, POLLOUT, deadline));
    } else if (errno != EINTR) {
      return ErrnoError(errno, "write to", "a connection");
    }
  }
  return absl::OkStatus();
}

bool Socket::PeerGone() const {
  pollfd entry = {descriptor_, POLLRDHUP, 0};
  return ::poll(&entry, 1, 0) > 0 && (entry.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

void Socket::Linger() {
  ::shutdown(descriptor_, SHUT_WR);
  const SocketClock::time_point deadline = SocketClock::now() + std::chrono::milliseconds(500);
  char sink[16384];
  while (true) {
    const absl::StatusOr<size_t> got = Read(sink, sizeof(sink), deadline);
    if (!got.ok() || *got == 0 || SocketClock::now() > deadline) return;
  }
}

void Socket::ShutDown() { ::shutdown(descriptor_, SHUT_RDWR); }

absl::StatusOr<Socket> ListenOn(const std::string& host, int port) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int code = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found); code != 0) {
    return absl::InvalidArgumentError(fmt::format("--host {}: {}", host, ::gai_strerror(code)));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, &::freeaddrinfo);
  Socket listener(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (listener.descriptor() < 0) return BindError(errno, host, port);
  const int on = 1;
  // A server that is started again at once finds its port taken by its own past connections without this.
  ::setsockopt(listener.descriptor(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (::bind(listener.descriptor(), found->ai_addr, found->ai_addrlen) != 0 ||
      ::listen(listener.descriptor(), SOMAXCONN) != 0) {
    return BindError(errno, host, port);
  }
  return listener;
}

int BoundPort(const Socket& listener) {
  sockaddr_storage address = {};
  socklen_t size = sizeof(address);
  if (::getsockname(listener.descriptor(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port
                                             : reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
}

}  // namespace rhodes
