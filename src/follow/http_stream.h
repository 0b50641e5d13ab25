// Streams over HTTP: an answer that does not end, a record a line (JSON Lines), as X's filtered stream gives it.
#ifndef RHODES_FOLLOW_HTTP_STREAM_H_
#define RHODES_FOLLOW_HTTP_STREAM_H_

#include <chrono>
#include <memory>
#include <vector>

#include "follow/http_connection.h"
#include "follow/stream.h"

namespace rhodes {

// How long things take; tests make it all shorter.
struct HttpStreamTiming {
  std::chrono::milliseconds network_pause{250};   // the first one after a connection that could not be made or broke
  std::chrono::milliseconds server_pause{5'000};  // after an answer of 5xx
  std::chrono::milliseconds limit_pause{60'000};  // after 420 or 429 without Retry-After
  std::chrono::milliseconds longest_pause{60'000};
  std::chrono::milliseconds connect{15'000};
  std::optional<std::chrono::milliseconds> stall;  // none: the address's `stall`
  std::chrono::milliseconds repeat{60'000};        // for how long a line that broke off may be sent again
  uint64_t seed = 0;                               // of the jitter; 0: any
};

// docs/following-schemes.md says what the address's keys mean and what counts as lost, repeated and broken off.
//
// A record's byte range counts the decoded bytes of the body since the stream was first opened, over all connections;
// its file is the address without its query, which may hold secrets. A line that broke off with its connection is
// dropped when the server sends it again, and rejected otherwise. Everything happens inside Next(), so that a server
// whose lines are not fetched waits.
//
// Errors of opening: UsageError for keys that are wrong, a format that is not of lines, a token that cannot be read.
// Errors of Next(): what waiting does not mend (400, 401, 403, 404, ..., too many redirects, a token gone).
absl::StatusOr<std::unique_ptr<Stream>> OpenHttpStream(const StreamUrl& url, const Json& position,
                                                       const StreamOptions& options,
                                                       const HttpStreamTiming& timing = {});

// What goes to the server: the address's path and query as written, without the keys that are ours; "server.KEY" is
// KEY for the server.
HttpAddress HttpAddressOf(const StreamUrl& url);
// Where a Location header leads from `from`; INVALID_ARGUMENT when it is no http or https address, or leads from https
// to http.
absl::StatusOr<HttpAddress> RedirectOf(const HttpAddress& from, std::string_view location);
// How long a server asks to wait by its Retry-After (seconds or a date) or x-rate-limit-reset (seconds since 1970).
std::optional<std::chrono::milliseconds> AskedPause(const std::string& retry_after, const std::string& reset,
                                                    int64_t now_seconds);

}  // namespace rhodes

#endif  // RHODES_FOLLOW_HTTP_STREAM_H_
