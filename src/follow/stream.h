// A source that never stops: a topic, a connection, a watched directory, a device that is asked again and again.
#ifndef RHODES_FOLLOW_STREAM_H_
#define RHODES_FOLLOW_STREAM_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/json.h"
#include "base/status.h"
#include "follow/stream_url.h"
#include "source/format.h"

namespace rhodes {

// What came in at once, parsed. Records and rejects hold the stream's address as their origin's file and a position in
// it as the byte range: what that position counts is the stream's to say.
struct StreamBatch {
  ParsedBlock parsed;
  uint64_t bytes = 0;  // of input, as received and before parsing
};

struct StreamHealth {
  bool connected = false;
  uint64_t reconnects = 0;         // since the start
  std::optional<uint64_t> behind;  // messages or bytes waiting at the other side, where it tells
  std::string trouble;             // the last error, until the stream is well again; empty: none
};

// One stream. Next(), position() and Acknowledge() are called from one thread; health() from any.
//
// A lost connection is not an error: the stream connects again with growing pauses (with jitter, at most a minute) and
// says so in health(). An error is what waiting does not mend: a topic that is not there, a refused login.
class Stream {
 public:
  virtual ~Stream() = default;
  // The next batch, some MiB at most; nothing when none came within `wait`. Everything received ends up in a batch as a
  // record or a reject. A stream holds no more than a few batches ahead: when Next() is not called it stops taking in,
  // so that the other side waits (back-pressure).
  virtual absl::StatusOr<std::optional<StreamBatch>> Next(std::chrono::milliseconds wait) = 0;
  // Where the stream stands behind all batches given out so far. Kept beside the records in one atomic commit; a stream
  // opened with it goes on exactly there, so that nothing is lost and nothing is stored twice. Null: the stream has no
  // positions of its own (then repeated records are told by their ids).
  virtual Json position() const = 0;
  // All batches up to `position` are durable: the other side may forget them (a consumer group's commit).
  virtual absl::Status Acknowledge(const Json& position) = 0;
  virtual StreamHealth health() const = 0;
};

struct StreamOptions {
  std::shared_ptr<const ReadOptions> read;     // the source's name, columns, language, ...
  uint64_t memory_bytes = uint64_t{64} << 20;  // what it may hold ahead of Next()
};

// Opens the stream that `url` names at `position` (null: from where its scheme begins; docs/following.md). UsageError
// naming the part of the address that is wrong.
absl::StatusOr<std::unique_ptr<Stream>> OpenStream(const StreamUrl& url, const Json& position,
                                                   const StreamOptions& options);

}  // namespace rhodes

#endif  // RHODES_FOLLOW_STREAM_H_
