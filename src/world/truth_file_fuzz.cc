// truth.jsonl: any bytes are read or refused.
#include <cstddef>

#include "world/truth_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  rhodes::ParseTruth({reinterpret_cast<const char*>(data), size}, "fuzz").status().IgnoreError();  // it must not crash
  return 0;
}
