// Any bytes as the answer of an HTTP server: read whole and byte by byte, the same body comes out.
#include <cstdint>
#include <cstdlib>

#include "follow/http_body.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  rhodes::HttpBody whole;
  std::string whole_body;
  const bool whole_ok = whole.Add(bytes, whole_body).ok();
  rhodes::HttpBody pieces;
  std::string body;
  bool ok = true;
  for (size_t i = 0; i < bytes.size() && ok; ++i) ok = pieces.Add(bytes.substr(i, 1), body).ok();
  if (whole_ok != ok) std::abort();
  if (ok) {
    if (body != whole_body || whole.has_head() != pieces.has_head() || whole.done() != pieces.done()) std::abort();
    if (whole.has_head() && whole.status() != pieces.status()) std::abort();
  }
  return 0;
}
