// A client of one connection that sends what it is told to, for tests: broken requests are the point.
#ifndef RHODES_SERVE_TEST_CLIENT_H_
#define RHODES_SERVE_TEST_CLIENT_H_

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <string>
#include <string_view>

#include "base/json.h"
#include "serve/socket.h"

namespace rhodes {

class TestClient {
 public:
  explicit TestClient(int port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_.descriptor(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }
  bool connected() const { return connected_; }
  void Send(std::string_view bytes) {
    socket_.Write(bytes, Deadline()).IgnoreError();  // a server that refuses early may close before it has all
  }
  // Until `end` has come (or the server closes).
  std::string ReadTo(std::string_view end) {
    while (buffer_.find(end) == std::string::npos && Fill()) {
    }
    const size_t at = buffer_.find(end);
    const size_t size = at == std::string::npos ? buffer_.size() : at + end.size();
    std::string text = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return text;
  }
  std::string ReadAll() {
    while (Fill()) {
    }
    return std::exchange(buffer_, "");
  }
  // One answer that has a Content-Length: head and body.
  std::string ReadAnswer() {
    std::string head = ReadTo("\r\n\r\n");
    const size_t at = head.find("Content-Length: ");
    if (at == std::string::npos) return head;
    const size_t size = std::stoul(head.substr(at + 16));
    while (buffer_.size() < size && Fill()) {
    }
    head += buffer_.substr(0, size);
    buffer_.erase(0, size);
    return head;
  }

 private:
  static SocketClock::time_point Deadline() { return SocketClock::now() + std::chrono::seconds(20); }
  bool Fill() {
    char bytes[4096];
    const absl::StatusOr<size_t> got = socket_.Read(bytes, sizeof(bytes), Deadline());
    if (!got.ok() || *got == 0) return false;
    buffer_.append(bytes, *got);
    return true;
  }

  Socket socket_;
  bool connected_ = false;
  std::string buffer_;
};

inline int StatusOf(const std::string& answer) {
  return answer.starts_with("HTTP/1.1 ") ? std::stoi(answer.substr(9, 3)) : 0;
}
inline std::string BodyOf(const std::string& answer) {
  const size_t at = answer.find("\r\n\r\n");
  return at == std::string::npos ? "" : answer.substr(at + 4);
}
inline std::string PostRequest(std::string_view path, std::string_view body, std::string_view connection = "close") {
  return fmt::format("POST {} HTTP/1.1\r\nHost: localhost\r\nConnection: {}\r\nContent-Length: {}\r\n\r\n{}", path,
                     connection, body.size(), body);
}
inline std::string GetRequest(std::string_view path, std::string_view connection = "close") {
  return fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\nConnection: {}\r\n\r\n", path, connection);
}

}  // namespace rhodes

#endif  // RHODES_SERVE_TEST_CLIENT_H_
