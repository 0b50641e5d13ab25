// The metrics of a run from any bytes, in pieces.
#include <cstdint>
#include <cstdlib>

#include "serve/run_log.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  rhodes::RunLog whole(""), pieces("");
  whole.Add(bytes);
  for (size_t at = 0; at < size; at += 7) pieces.Add(bytes.substr(at, 7));
  const rhodes::Json curves = whole.Curves(20, -1, "");
  if (rhodes::DumpJson(curves) != rhodes::DumpJson(pieces.Curves(20, -1, ""))) std::abort();
  if (curves["steps"]["step"].size() > 20 || curves["validation"]["step"].size() > 20) std::abort();
  if (curves["steps"]["loss"].size() != curves["steps"]["step"].size()) std::abort();
  return 0;
}
