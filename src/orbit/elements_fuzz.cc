// Two lines of any bytes: read or refused, and what is read propagates without harm.
#include <cstddef>
#include <cstdint>

#include "orbit/propagate.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t end = text.find('\n');
  if (end == std::string_view::npos) return 0;
  std::string_view second = text.substr(end + 1);
  if (second.ends_with('\n')) second.remove_suffix(1);
  const absl::StatusOr<rhodes::MeanElements> elements = rhodes::ParseTwoLines(text.substr(0, end), second);
  if (!elements.ok()) return 0;
  const rhodes::Satellite satellite(*elements);
  const double minutes[] = {0, 720, -1e5, 1e12};
  rhodes::OrbitState states[4];
  rhodes::OrbitError errors[4];
  rhodes::PropagateMany(satellite, minutes, states, errors);
  for (const double t : minutes) satellite.After(t, states[0]);
  return 0;
}
