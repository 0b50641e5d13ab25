#include "follow/metrics.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace rhodes {
namespace {

constexpr size_t kReasons = 20;
constexpr int kWaitMilliseconds = 200;
constexpr int kAnswerMilliseconds = 2000;

// A label's value: backslash, quote and line break are escaped.
std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

class Text {
 public:
  void Family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    out_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  }
  void Sample(const std::string& source, std::string_view more, uint64_t value) {
    out_ += fmt::format("{}{{source=\"{}\"{}}} {}\n", name_, Escaped(source), more, value);
  }
  std::string Take() { return std::move(out_); }

 private:
  std::string name_;
  std::string out_;
};

}  // namespace

void SourceMetrics::CountReject(const std::string& label) {
  const bool known = rejects.contains(label);
  ++rejects[known || rejects.size() < kReasons ? label : "other"];
}

std::string ReasonLabel(std::string_view reason) {
  std::string label;
  bool quoted = false;
  for (const char c : reason) {
    if (c == '"') {
      if (quoted) label += "\"\"";
      quoted = !quoted;
    } else if (!quoted && c >= '0' && c <= '9') {
      if (label.empty() || label.back() != 'N') label += 'N';
    } else if (!quoted) {
      label += c;
    }
    if (label.size() >= 80 || c == '\n') break;
  }
  while (!label.empty() && (static_cast<unsigned char>(label.back()) & 0x80) != 0) label.pop_back();
  return label;
}

std::string MetricsText(const std::vector<SourceMetrics>& sources) {
  Text text;
  const auto each = [&](std::string_view name, std::string_view type, std::string_view help, auto value) {
    text.Family(name, type, help);
    for (const SourceMetrics& source : sources) text.Sample(source.source, "", value(source));
  };
  each("rhodes_follow_read_total", "counter", "Records read, rejects included.",
       [](const SourceMetrics& s) { return s.counts.read; });
  each("rhodes_follow_stored_total", "counter", "Records stored.",
       [](const SourceMetrics& s) { return s.counts.stored; });
  each("rhodes_follow_duplicates_total", "counter", "Records that were stored already.",
       [](const SourceMetrics& s) { return s.counts.duplicates; });
  text.Family("rhodes_follow_rejected_total", "counter", "Input that is no record, by reason.");
  for (const SourceMetrics& source : sources) {
    for (const auto& [reason, count] : source.rejects) {
      text.Sample(source.source, fmt::format(",reason=\"{}\"", Escaped(reason)), count);
    }
  }
  each("rhodes_follow_bytes_total", "counter", "Bytes of input.",
       [](const SourceMetrics& s) { return s.counts.bytes; });
  each("rhodes_follow_commits_total", "counter", "Commits: parts, logs and position in one step.",
       [](const SourceMetrics& s) { return s.commits; });
  each("rhodes_follow_last_commit_timestamp_seconds", "gauge", "When the last commit was durable; 0: none yet.",
       [](const SourceMetrics& s) { return static_cast<uint64_t>(s.last_commit); });
  each("rhodes_follow_connected", "gauge", "Whether the other side can be reached.",
       [](const SourceMetrics& s) { return uint64_t{s.health.connected}; });
  each("rhodes_follow_reconnects_total", "counter", "Connections made again.",
       [](const SourceMetrics& s) { return s.health.reconnects; });
  each("rhodes_follow_disk_full", "gauge", "Whether a full disk is waited for.",
       [](const SourceMetrics& s) { return uint64_t{!s.trouble.empty()}; });
  text.Family("rhodes_follow_behind", "gauge", "Messages or bytes waiting at the other side, where it tells.");
  for (const SourceMetrics& source : sources) {
    if (source.health.behind) text.Sample(source.source, "", *source.health.behind);
  }
  return text.Take();
}

absl::StatusOr<std::unique_ptr<MetricsServer>> MetricsServer::Start(int port,
                                                                    std::function<std::vector<SourceMetrics>()> read) {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return ErrnoError(errno, "open a socket for", "--metrics");
  const int on = 1;
  setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (bind(descriptor, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(descriptor, 8) != 0 ||
      getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    const int error = errno;
    close(descriptor);
    return Annotate(ErrnoError(error, "listen on", fmt::format("127.0.0.1:{}", port)), "--metrics");
  }
  return std::unique_ptr<MetricsServer>(new MetricsServer(descriptor, ntohs(address.sin_port), std::move(read)));
}

MetricsServer::MetricsServer(int socket, int port, std::function<std::vector<SourceMetrics>()> read)
    : socket_(socket), port_(port), read_(std::move(read)), thread_([this] { Serve(); }) {}

MetricsServer::~MetricsServer() {
  stop_ = true;
  thread_.join();
  close(socket_);
}

void MetricsServer::Serve() {
  while (!stop_) {
    pollfd wanted{socket_, POLLIN, 0};
    if (poll(&wanted, 1, kWaitMilliseconds) <= 0) continue;
    const int connection = accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) continue;
    Answer(connection);
    close(connection);
  }
}

void MetricsServer::Answer(int connection) const {
  const timeval limit{kAnswerMilliseconds / 1000, 0};
  setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  std::string request;
  char buffer[2048];
  while (request.size() < sizeof(buffer) * 4 && request.find("\r\n\r\n") == std::string::npos) {
    const ssize_t got = recv(connection, buffer, sizeof(buffer), 0);
    if (got <= 0) return;
    request.append(buffer, static_cast<size_t>(got));
  }
  const bool found = request.starts_with("GET /metrics ") || request.starts_with("GET /metrics?");
  const std::string body = found ? MetricsText(read_()) : "The metrics are at /metrics.\n";
  const std::string answer = fmt::format(
      "HTTP/1.1 {}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {}\r\n"
      "Connection: close\r\n\r\n{}",
      found ? "200 OK" : "404 Not Found", body.size(), body);
  for (size_t sent = 0; sent < answer.size();) {
    const ssize_t count = send(connection, answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
    if (count <= 0) return;
    sent += static_cast<size_t>(count);
  }
}

}  // namespace rhodes
