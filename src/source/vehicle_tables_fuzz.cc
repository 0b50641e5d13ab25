// The tables of vehicles from any bytes.
#include <cstdint>

#include "source/testing.h"
#include "source/vehicle_tables.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const rhodes::Format* format : {&rhodes::TeslaFiFormat(), &rhodes::TeslaMateFormat(), &rhodes::ObdCsvFormat()}) {
    rhodes::source_testing::CheckAnyInput(*format, bytes);
  }
  return 0;
}
