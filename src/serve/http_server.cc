#include "serve/http_server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cerrno>
#include <list>
#include <mutex>
#include <optional>
#include <thread>

#include "base/text.h"
#include "serve/socket.h"

namespace rhodes {
namespace {

namespace beast = boost::beast;
using Parser = beast::http::request_parser<beast::http::string_body>;

constexpr size_t kReadBytes = 16 << 10;
constexpr uint32_t kMaxHeaderBytes = 16 << 10;

SocketClock::time_point In(int seconds) { return SocketClock::now() + std::chrono::seconds(seconds); }

std::string Head(int status, std::string_view content_type, const HttpHeaders& headers, bool keep_alive) {
  std::string head =
      fmt::format("HTTP/1.1 {} {}\r\nContent-Type: {}\r\n", status, HttpStatusText(status), content_type);
  for (const auto& [name, value] : headers) head += fmt::format("{}: {}\r\n", name, value);
  // The page's own files are all that it may load; nothing here is to be framed or guessed at.
  head += "X-Content-Type-Options: nosniff\r\n";
  return head + (keep_alive ? "Connection: keep-alive\r\n" : "Connection: close\r\n");
}

class Responder final : public HttpResponder {
 public:
  Responder(Socket& socket, const HttpOptions& options, const std::atomic<bool>& cancelled, bool keep_alive,
            bool head_only, bool chunks)
      : socket_(socket),
        options_(options),
        cancelled_(cancelled),
        keep_alive_(keep_alive && chunks),
        head_only_(head_only),
        chunks_(chunks),
        can_keep_alive_(keep_alive) {}

  void Send(int status, std::string_view content_type, std::string_view body, const HttpHeaders& headers) override {
    answered_ = true;
    keep_alive_ = can_keep_alive_;
    std::string bytes = Head(status, content_type, headers, keep_alive_);
    bytes += fmt::format("Content-Length: {}\r\n\r\n", body.size());
    if (!head_only_) bytes += body;
    broken_ = !socket_.Write(bytes, In(options_.write_seconds)).ok();
  }
  absl::Status BeginStream(std::string_view content_type, const HttpHeaders& headers) override {
    answered_ = streaming_ = true;
    std::string bytes = Head(200, content_type, headers, keep_alive_);
    bytes += chunks_ ? "Transfer-Encoding: chunked\r\n\r\n" : "\r\n";
    return Put(bytes);
  }
  absl::Status Write(std::string_view piece) override {
    if (piece.empty() || head_only_) return absl::OkStatus();
    return chunks_ ? Put(fmt::format("{:x}\r\n{}\r\n", piece.size(), piece)) : Put(piece);
  }
  bool ClientGone() override { return broken_ || socket_.PeerGone(); }
  const std::atomic<bool>& cancelled() const override { return cancelled_; }

  void End() {
    if (streaming_ && chunks_ && !head_only_) Put("0\r\n\r\n").IgnoreError();  // broken_ remembers
  }
  bool answered() const { return answered_; }
  bool MayGoOn() const { return keep_alive_ && !broken_; }

 private:
  absl::Status Put(std::string_view bytes) {
    if (broken_) return absl::UnavailableError("the client is gone");
    absl::Status status = socket_.Write(bytes, In(options_.write_seconds));
    broken_ = !status.ok();
    return status;
  }

  Socket& socket_;
  const HttpOptions& options_;
  const std::atomic<bool>& cancelled_;
  bool keep_alive_;
  const bool head_only_;  // HEAD: the answer without its body
  const bool chunks_;     // HTTP/1.1: a stream's end is marked; before that it is the connection's end
  const bool can_keep_alive_;
  bool answered_ = false;
  bool streaming_ = false;
  bool broken_ = false;
};

HttpRequest ToRequest(Parser& parser) {
  HttpRequest request;
  const auto& message = parser.get();
  request.method = std::string(message.method_string());
  const std::string target(message.target());
  const size_t mark = target.find('?');
  request.path = target.substr(0, mark);
  if (mark != std::string::npos) request.query = target.substr(mark + 1);
  for (const auto& field : message) {
    request.headers.emplace_back(LowerAscii({field.name_string().data(), field.name_string().size()}),
                                 std::string(field.value()));
  }
  request.body = std::move(parser.get().body());
  return request;
}

// One client: requests one after another.
class Connection {
 public:
  Connection(Socket socket, const HttpOptions& options, const HttpHandler& handler, const HttpErrorBody& error_body,
             const std::atomic<bool>& stopping, const std::atomic<bool>& cancelled)
      : socket_(std::move(socket)),
        options_(options),
        handler_(handler),
        error_body_(error_body),
        stopping_(stopping),
        cancelled_(cancelled),
        thread_([this] { Run(); }) {}
  ~Connection() { thread_.join(); }

  bool done() const { return done_; }
  // Ends it unless it is working on a request. From the server's thread.
  void EndWhenIdle() {
    const std::scoped_lock lock(mutex_);
    if (!busy_) socket_.ShutDown();
  }

 private:
  enum class ReadResult { kRequest, kEnd, kRefused };

  void Run() {
    while (!stopping_) {
      Parser parser;
      parser.header_limit(kMaxHeaderBytes);
      parser.body_limit(options_.max_body_bytes);
      const ReadResult result = ReadRequest(parser);
      if (result != ReadResult::kRequest || !Answer(parser)) {
        if (result != ReadResult::kEnd) socket_.Linger();
        break;
      }
      const std::scoped_lock lock(mutex_);
      busy_ = false;
    }
    done_ = true;
  }

  // Whether the connection can be used again.
  bool Answer(Parser& parser) {
    const HttpRequest request = ToRequest(parser);
    const bool new_enough = parser.get().version() >= 11;
    Responder responder(socket_, options_, cancelled_, parser.keep_alive() && !stopping_, request.method == "HEAD",
                        new_enough);
    handler_(request, responder);
    if (!responder.answered()) Refuse(500, "the request was not answered");
    responder.End();
    return responder.MayGoOn();
  }

  void Refuse(int status, std::string_view message) {
    Responder responder(socket_, options_, cancelled_, false, false, true);
    responder.Send(status, "application/json", error_body_(status, message), {});
  }

  ReadResult ReadRequest(Parser& parser) {
    SocketClock::time_point deadline = In(options_.idle_seconds);
    bool begun = buffer_.size() > 0;
    bool told_to_continue = false;
    if (begun) Begin(deadline);
    while (!parser.is_done()) {
      if (buffer_.size() > 0) {
        beast::error_code error;
        const size_t used = parser.put(buffer_.data(), error);
        buffer_.consume(used);
        if (error && error != beast::http::error::need_more) return RefuseParse(error);
        if (parser.is_header_done() && !parser.is_done() && !std::exchange(told_to_continue, true) &&
            beast::iequals(parser.get()[beast::http::field::expect], "100-continue")) {
          if (!socket_.Write("HTTP/1.1 100 Continue\r\n\r\n", deadline).ok()) return ReadResult::kEnd;
        }
        if (!error && used > 0) continue;
      }
      const auto space = buffer_.prepare(kReadBytes);
      const absl::StatusOr<size_t> got = socket_.Read(static_cast<char*>(space.data()), space.size(), deadline);
      if (!got.ok() && got.status().code() == absl::StatusCode::kDeadlineExceeded && begun) {
        Refuse(408, fmt::format("the request was not whole after {} seconds", options_.request_seconds));
        return ReadResult::kRefused;
      }
      if (!got.ok() || *got == 0) return ReadResult::kEnd;
      buffer_.commit(*got);
      if (!std::exchange(begun, true)) Begin(deadline);
    }
    return ReadResult::kRequest;
  }

  void Begin(SocketClock::time_point& deadline) {
    deadline = In(options_.request_seconds);
    const std::scoped_lock lock(mutex_);
    busy_ = true;
  }

  ReadResult RefuseParse(const beast::error_code& error) {
    if (error == beast::http::error::body_limit) {
      Refuse(413, fmt::format("the body is longer than {} bytes", options_.max_body_bytes));
    } else if (error == beast::http::error::header_limit) {
      Refuse(431, fmt::format("the header is longer than {} bytes", kMaxHeaderBytes));
    } else {
      Refuse(400, "not an HTTP request: " + error.message());
    }
    return ReadResult::kRefused;
  }

  Socket socket_;
  const HttpOptions& options_;
  const HttpHandler& handler_;
  const HttpErrorBody& error_body_;
  const std::atomic<bool>& stopping_;
  const std::atomic<bool>& cancelled_;
  beast::flat_buffer buffer_;  // read and not yet parsed
  std::mutex mutex_;
  bool busy_ = false;  // guarded: a request has begun and is not answered
  std::atomic<bool> done_{false};
  std::thread thread_;  // last: starts when all else is there
};

class ThreadedServer final : public HttpServer {
 public:
  ThreadedServer(Socket listener, HttpOptions options)
      : listener_(std::move(listener)), options_(std::move(options)), port_(BoundPort(listener_)) {}

  int port() const override { return port_; }

  void Serve(const HttpHandler& handler, const HttpErrorBody& error_body, const std::atomic<bool>& stop) override {
    std::atomic<bool> stopping{false};
    std::atomic<bool> cancelled{false};
    std::list<Connection> connections;
    while (!stop) {
      pollfd entry = {listener_.descriptor(), POLLIN, 0};
      const int ready = ::poll(&entry, 1, 50);  // `stop` is set by a signal handler, which can wake nobody
      std::erase_if(connections, [](const Connection& connection) { return connection.done(); });
      if (ready <= 0) continue;
      Socket socket(::accept4(listener_.descriptor(), nullptr, nullptr, SOCK_CLOEXEC));
      if (socket.descriptor() < 0) {
        // Out of descriptors: the connection stays in the queue; do not spin until one is free.
        if (errno == EMFILE || errno == ENFILE) std::this_thread::sleep_for(std::chrono::milliseconds(50));
        continue;
      }
      const int on = 1;  // pieces of a stream go out at once
      ::setsockopt(socket.descriptor(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
      if (static_cast<int>(connections.size()) >= options_.max_connections) {
        const std::string body = error_body(503, fmt::format("{} connections are open", connections.size()));
        socket
            .Write(fmt::format("{}Content-Length: {}\r\n\r\n{}", Head(503, "application/json", {}, false), body.size(),
                               body),
                   In(1))
            .IgnoreError();  // it is turned away in any case
        continue;
      }
      connections.emplace_back(std::move(socket), options_, handler, error_body, stopping, cancelled);
    }
    stopping = true;
    const SocketClock::time_point deadline = In(options_.stop_seconds);
    while (!connections.empty()) {
      if (SocketClock::now() > deadline) cancelled = true;
      for (Connection& connection : connections) connection.EndWhenIdle();
      std::erase_if(connections, [](const Connection& connection) { return connection.done(); });
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

 private:
  Socket listener_;
  const HttpOptions options_;
  const int port_;
};

}  // namespace

std::string_view HttpRequest::Header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_case_name) return value;
  }
  return "";
}

std::string_view HttpStatusText(int status) {
  const beast::string_view text = beast::http::obsolete_reason(static_cast<beast::http::status>(status));
  return {text.data(), text.size()};
}

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Listen(const HttpOptions& options) {
  ASSIGN_OR_RETURN(Socket listener, ListenOn(options.host, options.port));
  return std::make_unique<ThreadedServer>(std::move(listener), options);
}

}  // namespace rhodes
