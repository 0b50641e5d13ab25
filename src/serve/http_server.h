// HTTP/1.1 on a TCP port: connections, limits and deadlines. Knows nothing of what is served.
#ifndef RHODES_SERVE_HTTP_SERVER_H_
#define RHODES_SERVE_HTTP_SERVER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace rhodes {

struct HttpOptions {
  std::string host = "127.0.0.1";
  int port = 8080;  // 0: any free one
  uint64_t max_body_bytes = 4 << 20;
  int max_connections = 128;  // further ones are answered 503
  int idle_seconds = 60;      // between requests of one connection
  int request_seconds = 30;   // from a request's first byte to its last
  int write_seconds = 30;     // for a client to take a piece of the answer
  int stop_seconds = 5;       // for requests under way once the server is to stop; then they are cancelled
};

struct HttpRequest {
  std::string method;
  std::string path;   // as sent, without the query
  std::string query;  // behind '?', or empty
  std::string body;
  // Names in lower case, in the order sent.
  std::vector<std::pair<std::string, std::string>> headers;

  std::string_view Header(std::string_view lower_case_name) const;  // "" when absent
};

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

// Where a handler answers. Exactly one of Send and BeginStream is called, once. One thread.
class HttpResponder {
 public:
  virtual ~HttpResponder() = default;
  // A whole answer. A failure (the client is gone) needs no handling.
  virtual void Send(int status, std::string_view content_type, std::string_view body,
                    const HttpHeaders& headers = {}) = 0;
  // An answer in pieces; the end is the handler's return. UNAVAILABLE when the client takes it no more.
  virtual absl::Status BeginStream(std::string_view content_type, const HttpHeaders& headers = {}) = 0;
  virtual absl::Status Write(std::string_view piece) = 0;
  // The client closed the connection.
  virtual bool ClientGone() = 0;
  // Becomes true when the server stops and the time for requests under way is over.
  virtual const std::atomic<bool>& cancelled() const = 0;
};

using HttpHandler = std::function<void(const HttpRequest&, HttpResponder&)>;
// Makes the body of an answer to a request that never reached the handler: a status code and what was wrong.
using HttpErrorBody = std::function<std::string(int status, std::string_view message)>;

class HttpServer {
 public:
  // Takes the port. FAILED_PRECONDITION "port 8080 is in use; choose another with --port", PERMISSION_DENIED, or
  // INVALID_ARGUMENT for a host that does not resolve.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Listen(const HttpOptions& options);
  virtual ~HttpServer() = default;

  virtual int port() const = 0;
  // Serves until `stop` is true, one thread a connection; `handler` is called from many threads at once. Returns when
  // every connection is closed.
  virtual void Serve(const HttpHandler& handler, const HttpErrorBody& error_body, const std::atomic<bool>& stop) = 0;
};

// "Not Found" for 404.
std::string_view HttpStatusText(int status);

}  // namespace rhodes

#endif  // RHODES_SERVE_HTTP_SERVER_H_
