// X's format x_archive from any bytes.
#include <cstdint>

#include "source/testing.h"
#include "source/x_archive.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  rhodes::source_testing::CheckAnyInput(rhodes::XArchiveFormat(), {reinterpret_cast<const char*>(data), size});
  return 0;
}
