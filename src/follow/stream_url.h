// The address of a stream: kafka://host:port/topic?group=G&format=F, http://…, dir:///…?format=F, grpc://host:port/dish
#ifndef RHODES_FOLLOW_STREAM_URL_H_
#define RHODES_FOLLOW_STREAM_URL_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/status.h"

namespace rhodes {

struct StreamUrl {
  std::string text;                          // as given
  std::string scheme;                        // "kafka", "http", "https", "dir", "grpc"
  std::string host;                          // "[::1]" without its brackets; empty for dir
  uint16_t port = 0;                         // the scheme's own when none is given
  std::string path;                          // decoded, with its first slash
  std::map<std::string, std::string> query;  // decoded

  // The value of a key, or `otherwise`.
  std::string Get(std::string_view key, std::string_view otherwise = "") const;
};

// UsageError naming what is wrong and where, with the form that the scheme takes. Percent-encoding is decoded (RFC
// 3986). `keys` that the scheme does not know are named with the nearest one it does.
absl::StatusOr<StreamUrl> ParseStreamUrl(std::string_view text);

}  // namespace rhodes

#endif  // RHODES_FOLLOW_STREAM_URL_H_
