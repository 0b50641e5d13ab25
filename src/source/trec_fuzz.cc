// trec from any bytes.
#include <cstdint>

#include "source/testing.h"
#include "source/trec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  rhodes::source_testing::CheckAnyInput(rhodes::TrecFormat(), {reinterpret_cast<const char*>(data), size});
  return 0;
}
