// One HTTP connection, plain or TLS, whose every step can be waited for a while and then gone on with later.
#ifndef RHODES_FOLLOW_HTTP_CONNECTION_H_
#define RHODES_FOLLOW_HTTP_CONNECTION_H_

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"

namespace rhodes {

struct HttpAddress {
  bool tls = false;
  std::string host;  // without brackets
  uint16_t port = 0;
  std::string target;  // path and query as they go over the wire
};

// Resolves, connects, shakes hands, sends a request, then reads bytes. It works only inside Read(): between two calls
// at most one read of kReadBytes is under way, so that a reader who does not come back stops the other side through
// TCP. Not thread-safe.
class HttpConnection {
 public:
  static constexpr size_t kReadBytes = 64 << 10;

  struct Settings {
    std::string ca_file;  // PEM; empty: the system's authorities
    std::chrono::milliseconds connect{15'000};
  };
  // Begins. Certificates are checked: chain, validity and host name. INVALID_ARGUMENT for a ca_file that cannot be
  // used; RESOURCE_EXHAUSTED when the system has no descriptor left.
  static absl::StatusOr<std::unique_ptr<HttpConnection>> Open(const HttpAddress& address, std::string request,
                                                              const Settings& settings);
  ~HttpConnection();

  struct Step {
    enum class Kind {
      kNothing,  // `until` came first
      kBytes,    // `bytes`, valid until the next call
      kEnd,      // the other side has closed in order
      kFailed    // the connection could not be made, or broke: `error` says in which step
    };
    Kind kind = Kind::kNothing;
    std::string_view bytes;
    std::string error;
  };
  Step Read(std::chrono::steady_clock::time_point until);

  // Whether the request has been sent.
  bool open() const;

 private:
  class Session;
  explicit HttpConnection(std::unique_ptr<Session> session);
  std::unique_ptr<Session> session_;
};

}  // namespace rhodes

#endif  // RHODES_FOLLOW_HTTP_CONNECTION_H_
