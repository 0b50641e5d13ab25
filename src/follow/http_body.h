// The answer of an HTTP server while it comes in: head, then a body in chunks, of a stated length or until it closes,
// compressed or not.
#ifndef RHODES_FOLLOW_HTTP_BODY_H_
#define RHODES_FOLLOW_HTTP_BODY_H_

#include <memory>
#include <string>
#include <string_view>

#include "base/decompress.h"
#include "base/status.h"

namespace rhodes {

// Not thread-safe. Memory: a head of at most 64 KiB, the decoder's window.
class HttpBody {
 public:
  HttpBody();
  ~HttpBody();

  // Appends to `out` what `bytes` holds of the body, decoded. INVALID_ARGUMENT or DATA_LOSS: this is no HTTP, or what
  // is compressed is broken; what came before stands in `out`.
  absl::Status Add(std::string_view bytes, std::string& out);
  // The connection was closed in order. Whether that is where the answer ends, as far as HTTP can tell.
  bool AddEnd();

  bool has_head() const;
  int status() const;
  // A header's value, or "".
  std::string Header(std::string_view name) const;
  // The whole answer has come, and it said itself where it ends.
  bool done() const;

 private:
  absl::Status BeginBody();
  absl::Status Decode(std::string_view bytes, std::string& out);

  struct Parser;
  std::unique_ptr<Parser> parser_;
  std::string pending_;  // not yet parsed: an unfinished head or chunk head
  std::unique_ptr<Decoder> decoder_;
  std::string undecoded_;
  bool begun_ = false;
};

}  // namespace rhodes

#endif  // RHODES_FOLLOW_HTTP_BODY_H_
