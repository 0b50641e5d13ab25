// Token ids to text as they come, never half a character.
#ifndef RHODES_TOKEN_STREAMING_DECODER_H_
#define RHODES_TOKEN_STREAMING_DECODER_H_

#include <string>

#include "token/tokenizer.h"

namespace rhodes {

// What Push() and Finish() return is together exactly Tokenizer::Decode() of the ids. Not thread-safe; `tokenizer` must
// outlive it.
class StreamingDecoder {
 public:
  explicit StreamingDecoder(const Tokenizer& tokenizer)
      : tokenizer_(tokenizer), strip_space_(tokenizer.strips_first_space()) {}

  // The bytes that are certain after `id`. Up to three bytes that begin a character (RFC 3629) wait for the next token;
  // bytes that cannot be part of one do not.
  std::string Push(TokenId id);
  // The bytes that wait when no token comes any more. The decoder begins anew after it.
  std::string Finish();

 private:
  const Tokenizer& tokenizer_;
  bool strip_space_;
  std::string waiting_;
};

}  // namespace rhodes

#endif  // RHODES_TOKEN_STREAMING_DECODER_H_
