// The answer of an HTTP server while it comes in: head, then a body in chunks, of a stated length or until it closes,
// compressed or not (RFC 9112).
#ifndef RHODES_FOLLOW_HTTP_BODY_H_
#define RHODES_FOLLOW_HTTP_BODY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/decompress.h"
#include "base/status.h"

namespace rhodes {

// Written by hand because Boost.Beast's parser (1.74) ends the process on some answers: a server must not be able to.
// Not thread-safe. Memory: a head or trailer of at most 64 KiB, the decoder's window.
class HttpBody {
 public:
  // Appends to `out` what `bytes` holds of the body, decoded. INVALID_ARGUMENT or DATA_LOSS: this is no HTTP, or what
  // is compressed is broken; what came before stands in `out`, and every later call returns the same.
  absl::Status Add(std::string_view bytes, std::string& out);

  // The head of the answer (of the final one: 1xx are passed over) has come.
  bool has_head() const { return state_ != State::kHead; }
  int status() const { return status_; }
  // A header's value, several joined by ", ", or "". `name` in lower case.
  std::string Header(std::string_view name) const;
  // The whole answer has come, and it said itself where it ends. What follows is ignored.
  bool done() const { return state_ == State::kDone; }

 private:
  enum class State { kHead, kSized, kUntilClose, kChunkSize, kChunkData, kChunkEnd, kTrailer, kDone };

  // The next line without its end, once it has come whole; takes what it used off `bytes`.
  absl::StatusOr<std::optional<std::string>> TakeLine(std::string_view& bytes);
  absl::Status TakeHeadLine(std::string_view line);
  absl::Status EndHead();
  absl::Status TakeChunkSize(std::string_view line);
  absl::Status TakeLines(std::string_view& bytes);
  absl::Status Step(std::string_view& bytes, std::string& out);
  absl::Status Decode(std::string_view bytes, std::string& out);

  State state_ = State::kHead;
  absl::Status broken_;
  int status_ = 0;
  std::vector<std::pair<std::string, std::string>> headers_;  // names in lower case
  std::string line_;                                          // begun and not ended
  size_t head_bytes_ = 0;                                     // of head or trailer, for their limit
  uint64_t left_ = 0;                                         // of the body, or of the chunk
  std::unique_ptr<Decoder> decoder_;
  std::string undecoded_;
};

}  // namespace rhodes

#endif  // RHODES_FOLLOW_HTTP_BODY_H_
