#include "follow/http_connection.h"

#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <optional>

namespace rhodes {
namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;

// The callbacks of one connection. They run inside Read() only; those still waiting when the session ends are dropped
// with its io_context, never called.
class HttpConnection::Session {
 public:
  Session(std::string request, std::chrono::milliseconds connect)
      : request_(std::move(request)), resolver_(io_), socket_(io_), timer_(io_), connect_(connect) {}

  absl::Status UseTls(const std::string& host, const std::string& ca_file) {
    tls_context_.emplace(asio::ssl::context::tls_client);
    error_code error;
    if (ca_file.empty()) {
      tls_context_->set_default_verify_paths(error);
    } else {
      tls_context_->load_verify_file(ca_file, error);
    }
    if (error) return UsageError(fmt::format("ca_file {}: {}", ca_file, error.message()));
    SSL_CTX_set_min_proto_version(tls_context_->native_handle(), TLS1_2_VERSION);
    tls_.emplace(socket_, *tls_context_);
    tls_->set_verify_mode(asio::ssl::verify_peer, error);
    if (!error) tls_->set_verify_callback(asio::ssl::host_name_verification(host), error);
    if (error) return absl::InternalError(fmt::format("TLS: {}", error.message()));
    if (SSL_set_tlsext_host_name(tls_->native_handle(), host.c_str()) != 1) {
      return UsageError(fmt::format("\"{}\" cannot be named to a TLS server", host));
    }
    return absl::OkStatus();
  }

  void Begin(const std::string& host, uint16_t port) {
    timer_.expires_after(connect_);
    timer_.async_wait([this](error_code error) {
      if (error || open_ || failed_) return;
      Fail("connect", "it took too long");
      resolver_.cancel();
      error_code ignored;
      socket_.close(ignored);
    });
    resolver_.async_resolve(host, std::to_string(port), tcp::resolver::numeric_service,
                            [this](error_code error, const tcp::resolver::results_type& found) {
                              if (error) return Fail("resolve", error.message());
                              asio::async_connect(socket_, found, [this](error_code wrong, const tcp::endpoint&) {
                                if (wrong) return Fail("connect", wrong.message());
                                Connected();
                              });
                            });
  }

  Step Read(std::chrono::steady_clock::time_point until) {
    // What is ready now is taken even when `until` has passed.
    while (!failed_) {
      if (open_ && !reading_ && got_ == 0 && !ended_) StartRead();
      if (got_ > 0 || ended_) break;
      if (io_.stopped()) io_.restart();
      if (io_.poll_one() == 0 && io_.run_one_until(until) == 0) return {};
    }
    Step step;
    if (got_ > 0) {
      step.kind = Step::Kind::kBytes;
      step.bytes = std::string_view(buffer_.data(), got_);
      got_ = 0;
    } else if (failed_) {
      step.kind = Step::Kind::kFailed;
      step.error = error_;
    } else {
      step.kind = Step::Kind::kEnd;
    }
    return step;
  }

  bool open() const { return open_; }

 private:
  void Fail(const char* step, const std::string& what) {
    if (failed_) return;  // the first cause is the one to tell
    failed_ = true;
    error_ = fmt::format("{}: {}", step, what);
    timer_.cancel();
  }

  void Connected() {
    if (!tls_) return SendRequest();
    tls_->async_handshake(asio::ssl::stream_base::client, [this](error_code error) {
      if (error) return Fail("TLS", error.message());
      SendRequest();
    });
  }

  void SendRequest() {
    const auto sent = [this](error_code error, size_t) {
      if (error) return Fail("send", error.message());
      open_ = true;
      timer_.cancel();
    };
    if (tls_) {
      asio::async_write(*tls_, asio::buffer(request_), sent);
    } else {
      asio::async_write(socket_, asio::buffer(request_), sent);
    }
  }

  void StartRead() {
    reading_ = true;
    const auto done = [this](error_code error, size_t count) {
      reading_ = false;
      got_ = count;
      if (!error) return;
      if (error == asio::error::eof) {
        ended_ = true;
      } else {
        Fail("read", error.message());  // a TLS stream that ends without saying so too: it may have been cut
      }
    };
    if (tls_) {
      tls_->async_read_some(asio::buffer(buffer_), done);
    } else {
      socket_.async_read_some(asio::buffer(buffer_), done);
    }
  }

  std::string request_;
  std::array<char, kReadBytes> buffer_;
  asio::io_context io_;
  tcp::resolver resolver_;
  tcp::socket socket_;
  std::optional<asio::ssl::context> tls_context_;
  std::optional<asio::ssl::stream<tcp::socket&>> tls_;
  asio::steady_timer timer_;
  const std::chrono::milliseconds connect_;
  bool open_ = false;
  bool reading_ = false;
  bool ended_ = false;
  bool failed_ = false;
  size_t got_ = 0;
  std::string error_;
};

HttpConnection::HttpConnection(std::unique_ptr<Session> session) : session_(std::move(session)) {}
HttpConnection::~HttpConnection() = default;

absl::StatusOr<std::unique_ptr<HttpConnection>> HttpConnection::Open(const HttpAddress& address, std::string request,
                                                                     const Settings& settings) {
  try {  // Asio's constructors throw when the system gives no descriptor
    auto session = std::make_unique<Session>(std::move(request), settings.connect);
    if (address.tls) RETURN_IF_ERROR(session->UseTls(address.host, settings.ca_file));
    session->Begin(address.host, address.port);
    return std::unique_ptr<HttpConnection>(new HttpConnection(std::move(session)));
  } catch (const std::exception& error) {
    return absl::ResourceExhaustedError(fmt::format("connect to {}: {}", address.host, error.what()));
  }
}

HttpConnection::Step HttpConnection::Read(std::chrono::steady_clock::time_point until) {
  try {
    return session_->Read(until);
  } catch (const std::exception& error) {
    return Step{Step::Kind::kFailed, {}, error.what()};
  }
}

bool HttpConnection::open() const { return session_->open(); }

}  // namespace rhodes
