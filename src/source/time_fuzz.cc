// Dates and numbers from any bytes.
#include <cstdint>
#include <cstdlib>

#include "source/row_builder.h"
#include "source/time.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::optional<int64_t> time = rhodes::ParseTime(text);
  if (time && (*time > 253402300800000000 || *time < -62200000000000000)) std::abort();  // outside of years 0 to 9999
  rhodes::ParseNumber(text);
  return 0;
}
