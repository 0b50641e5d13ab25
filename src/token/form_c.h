// Unicode's normalisation form C, as the normalizer NFC of Hugging Face tokenizers makes it.
#ifndef RHODES_TOKEN_FORM_C_H_
#define RHODES_TOKEN_FORM_C_H_

#include <string>
#include <string_view>

namespace rhodes {

// `text` in form C as of Unicode 9, which the reference has (tokenizers 0.23, asked for each code point): to it, later
// characters neither combine nor change places. False when `text` is in that form already, or is not UTF-8: then it is
// to stay as it is, so that no byte is lost, and `normalised` is not touched. Cost: linear in the text for all texts.
// Thread-safe.
bool NormaliseToFormC(std::string_view text, std::string& normalised);

}  // namespace rhodes

#endif  // RHODES_TOKEN_FORM_C_H_
