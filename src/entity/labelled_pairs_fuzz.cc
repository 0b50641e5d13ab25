// Labelled pairs from any bytes: what is read is compared.
#include <cstdint>

#include "entity/labelled_pairs.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::StatusOr<rhodes::LabelledPairs> pairs =
      rhodes::ParseLabelledPairs({reinterpret_cast<const char*>(data), size}, "input");
  if (!pairs.ok()) return 0;
  rhodes::RunContext context;
  context.threads = 1;
  const absl::StatusOr<rhodes::Comparer> comparer =
      rhodes::Comparer::Create(rhodes::GuessComparisons(*pairs), pairs->values, context);
  if (!comparer.ok()) __builtin_trap();
  for (const rhodes::LabelledPairs::Pair& pair : pairs->pairs) {
    for (const float value : comparer->Compare(pair.a, pair.b)) {
      if (value < 0 || value > 1.0001F) __builtin_trap();  // NaN: missing
    }
  }
  return 0;
}
