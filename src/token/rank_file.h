// tiktoken rank files: a token in base64 and its rank, which is its id, on each line.
#ifndef RHODES_TOKEN_RANK_FILE_H_
#define RHODES_TOKEN_RANK_FILE_H_

#include <string_view>

#include "base/status.h"
#include "token/tokenizer_file.h"

namespace rhodes {

// Whether `bytes` can be a rank file: it does not begin as JSON does.
bool LooksLikeRankFile(std::string_view bytes);

// The file says neither the pattern nor the special tokens. Files with the number of ranks of a well-known encoding
// (r50k_base, p50k_base, cl100k_base, o200k_base, Llama 3, Qwen) get both from it; `pattern` (a name of
// token/pattern.h; "cl100k" is cl100k_base here) overrides the pattern, and must be given for all others, whose special
// token is <|endoftext|>, after the highest rank. INVALID_ARGUMENT naming `what` and the line for a line that is not a
// token and a rank, a token or rank that is there twice, and a byte without a token.
absl::StatusOr<TokenizerSpec> ParseRankFile(std::string_view bytes, std::string_view pattern, std::string_view what);

}  // namespace rhodes

#endif  // RHODES_TOKEN_RANK_FILE_H_
