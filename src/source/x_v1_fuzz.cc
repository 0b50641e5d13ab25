// X's format x_v1 from any bytes.
#include <cstdint>

#include "source/testing.h"
#include "source/x_v1.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  rhodes::source_testing::CheckAnyInput(rhodes::XV1Format(), {reinterpret_cast<const char*>(data), size});
  return 0;
}
