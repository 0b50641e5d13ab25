// Lines cut out of any bytes that come in any pieces: each byte comes out once, in its place.
#include <cstdint>
#include <cstdlib>

#include "follow/line_cutter.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const uint64_t limit = 1 + data[0];
  const size_t piece = 1 + data[1] % 32;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 2), size - 2);
  rhodes::LineCutter cutter(limit, 1000);
  uint64_t at = 1000;  // all before is accounted for
  for (size_t begin = 0; begin < bytes.size(); begin += piece) {
    const std::string_view part = bytes.substr(begin, piece);
    const rhodes::LineCutter::Cut cut = cutter.Add(part);
    if (cut.skipped) {
      if (cut.skipped->begin != at || cut.skipped->end - at <= limit) std::abort();
      const std::string_view line = bytes.substr(at - 1000, cut.skipped->end - at);
      if (line.find('\n') != std::string_view::npos || bytes[cut.skipped->end - 1000] != '\n') std::abort();
      at = cut.skipped->end + 1;
    }
    if (cut.begin != at && !cut.lines.empty()) std::abort();
    if (!cut.lines.empty() && cut.lines.back() != '\n') std::abort();
    if (bytes.substr(at - 1000, cut.lines.size()) != cut.lines) std::abort();
    at += cut.lines.size();
    if (cutter.rest().size() > limit || cutter.rest_begin() != at) std::abort();
    if (cutter.end() != 1000 + begin + part.size()) std::abort();
    if (!cutter.skipping() && bytes.substr(at - 1000, cutter.rest().size()) != cutter.rest()) std::abort();
  }
  const rhodes::LineCutter::Range rest = cutter.DropRest();
  if (rest.begin != at || rest.end != 1000 + bytes.size() || !cutter.rest().empty()) std::abort();
  return 0;
}
