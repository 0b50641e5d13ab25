// Any bytes as a tokenizer.json: an error or a tokenizer that loses no byte, never a crash.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "token/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto tokenizer = rhodes::Tokenizer::Parse(bytes, "fuzz");
  if (!tokenizer.ok()) return 0;
  std::vector<rhodes::TokenId> ids;
  (*tokenizer)->Encode(bytes, ids);
  if ((*tokenizer)->Decode(ids).empty() && !bytes.empty()) abort();
  return 0;
}
