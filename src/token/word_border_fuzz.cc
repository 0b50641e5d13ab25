// A text that is cut at WordBorder() must have the words of the whole by every pattern.
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "token/splitter.h"
#include "token/text_input.h"

namespace {

std::vector<std::string_view> Words(rhodes::Pattern pattern, std::string_view text) {
  std::vector<std::string_view> words;
  rhodes::SplitWords(pattern, text, [&](std::string_view word) { words.push_back(word); });
  return words;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using rhodes::Pattern;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (size_t border = rhodes::WordBorder(text, 1); border < size; border = rhodes::WordBorder(text, border + 1)) {
    for (const Pattern pattern :
         {Pattern::kGpt2, Pattern::kLlama3, Pattern::kQwen2, Pattern::kO200k, Pattern::kCl100k}) {
      std::vector<std::string_view> parts = Words(pattern, text.substr(0, border));
      for (const std::string_view word : Words(pattern, text.substr(border))) parts.push_back(word);
      if (parts != Words(pattern, text)) abort();
    }
  }
  return 0;
}
