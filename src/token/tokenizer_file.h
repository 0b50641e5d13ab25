// tokenizer.json: the Hugging Face file of a byte-level BPE tokenizer, read and written.
#ifndef RHODES_TOKEN_TOKENIZER_FILE_H_
#define RHODES_TOKEN_TOKENIZER_FILE_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "token/bpe_model.h"
#include "token/pattern.h"

namespace rhodes {

inline constexpr std::string_view kEndOfTextToken = "<|endoftext|>";

struct AddedToken {
  TokenId id = 0;
  std::string text;
  bool special = true;  // else it is matched in every text
  bool lstrip = false;  // takes the white space before it
  bool rstrip = false;  // takes the white space after it
};

struct TokenizerSpec {
  Pattern pattern = Pattern::kLlama3;
  bool ignore_merges = true;      // a word that is a token is that token, whatever the merges say
  bool nfc = false;               // Unicode normalisation form C before anything else
  TokenBytesTable tokens;         // by id; of added tokens: their text; gaps are empty
  std::vector<Merge> merges;      // by rank
  std::vector<AddedToken> added;  // by id
};

// Reads what Rhodes can encode exactly as Hugging Face tokenizers do: model BPE without dropout, prefixes, suffixes or
// byte fallback, all 256 bytes in the vocabulary; a pre-tokenizer of token/pattern.h; normalizer null or NFC; merges in
// either notation. INVALID_ARGUMENT "`what`: ..." for everything else, naming the part that is not supported. The
// post-processor (which puts tokens around a text) is not read.
absl::StatusOr<TokenizerSpec> ParseTokenizerFile(std::string_view json, std::string_view what);

// The file's text; the same spec gives the same bytes. Merges are written as "a b", which every version of the
// tokenizers library reads.
std::string WriteTokenizerFile(const TokenizerSpec& spec);

// tokenizer_config.json for a model directory: PreTrainedTokenizerFast, end-of-text token, `model_max_length`, and a
// chat template of the plain form "Question: ...\nAnswer: ...".
std::string WriteTokenizerConfig(uint64_t model_max_length);
// The chat template in it (Jinja).
std::string_view PlainChatTemplate();

}  // namespace rhodes

#endif  // RHODES_TOKEN_TOKENIZER_FILE_H_
