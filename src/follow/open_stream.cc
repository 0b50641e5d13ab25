#include "follow/directory_stream.h"
#include "follow/dish_stream.h"
#include "follow/http_stream.h"
#include "follow/kafka_stream.h"
#include "follow/stream.h"

namespace rhodes {

absl::StatusOr<std::unique_ptr<Stream>> OpenStream(const StreamUrl& url, const Json& position,
                                                   const StreamOptions& options) {
  if (url.scheme == "kafka") return OpenKafkaStream(url, position, options);
  if (url.scheme == "http" || url.scheme == "https") return OpenHttpStream(url, position, options);
  if (url.scheme == "dir") return OpenDirectoryStream(url, position, options);
  if (url.scheme == "grpc") return OpenDishStream(url, position, options);
  return UsageError(fmt::format("--source {}: \"{}\" is no kind of stream", url.text, url.scheme));
}

}  // namespace rhodes
