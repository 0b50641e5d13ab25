// Dishes' answers and logs (starlink) from any bytes.
#include <cstdint>

#include "source/starlink.h"
#include "source/testing.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  rhodes::source_testing::CheckAnyInput(rhodes::StarlinkStatusFormat(), {reinterpret_cast<const char*>(data), size});
  return 0;
}
