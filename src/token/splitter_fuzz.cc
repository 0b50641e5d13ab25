// Any bytes as text: every pattern's words are the text again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "token/splitter.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const rhodes::Pattern pattern : {rhodes::Pattern::kGpt2, rhodes::Pattern::kLlama3, rhodes::Pattern::kQwen2,
                                        rhodes::Pattern::kO200k, rhodes::Pattern::kCl100k}) {
    size_t at = 0;
    rhodes::SplitWords(pattern, text, [&](std::string_view word) {
      if (word.empty() || word.data() != text.data() + at) abort();
      at += word.size();
    });
    if (at != text.size()) abort();
  }
  return 0;
}
