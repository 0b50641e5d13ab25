// Any bytes as the answer of a server's reflection service.
#include <cstdint>
#include <cstdlib>

#include "base/text.h"
#include "follow/reflection_answer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto files = rhodes::ReadReflectionAnswer(bytes);
  size_t total = 0;
  if (files.ok()) {
    for (const std::string& file : *files) total += file.size();
  } else if (!rhodes::IsValidUtf8(rhodes::Message(files.status()))) {
    std::abort();
  }
  if (total > size) std::abort();
  return 0;
}
