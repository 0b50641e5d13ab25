// Any bytes, once repaired: both forms are valid UTF-8 of single-spaced words, ours does not change when made again,
// and signing takes whatever comes.
#include <cstdlib>
#include <string>

#include "base/text.h"
#include "curate/matching_text.h"
#include "curate/near.h"

namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text = rhodes::ReplaceInvalidUtf8({reinterpret_cast<const char*>(data), size});
  std::string form;
  rhodes::SimplifyText(text, form);
  Require(rhodes::ReplaceInvalidUtf8(form) == form);
  rhodes::MatchingText(text, form);
  Require(rhodes::ReplaceInvalidUtf8(form) == form);
  Require(form.find("  ") == std::string::npos && !form.starts_with(' ') && !form.ends_with(' '));
  Require(form.size() <= 18 * text.size());
  std::string again;
  rhodes::MatchingText(form, again);
  Require(again == form);
  rhodes::NearScratch scratch;
  rhodes::NearSettings settings;
  rhodes::NearHasher(settings).Sign(text, scratch);
  settings.datatrove = true;
  rhodes::NearHasher(settings).Sign(text, scratch);
  return 0;
}
