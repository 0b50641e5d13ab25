// The tokenizer of a GGUF file: what stands under `tokenizer.ggml.*`, and the same as a TokenizerSpec.
//
// llama.cpp knows a pre-tokenizer by its name and cuts words with code of its own; the file carries no pattern. So each
// pattern here is written as the name whose words are the same, and where none is, the notes say what differs.
#ifndef RHODES_TOKEN_GGUF_TOKENIZER_H_
#define RHODES_TOKEN_GGUF_TOKENIZER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "token/tokenizer_file.h"

namespace rhodes {

struct GgufTokenizer {
  // tokenizer.ggml.token_type, llama.cpp's numbers.
  enum Type : int32_t { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };

  std::string model;                // "gpt2": byte-level; "llama": SentencePiece-style, merges in the order of scores
  std::string pre;                  // of "gpt2": llama.cpp's name of the pre-tokenizer
  std::vector<std::string> tokens;  // as the vocabulary writes them
  std::vector<int32_t> types;
  std::vector<std::string> merges;  // of "gpt2": "left right", by rank
  std::vector<float> scores;        // of "llama"
  bool add_space_prefix = false;    // of "llama": a space is put before a text

  // Under tokenizer.rhodes.*, which other programs leave alone: what the keys above cannot say. Empty in files of other
  // programs.
  std::string pattern;  // PatternName
  bool nfc = false;
  bool ignore_merges = false;  // read only when `pattern` is there
};

struct GgufTokenizerResult {
  GgufTokenizer tokenizer;
  // Where llama.cpp would give other ids than this tokenizer; each a sentence.
  std::vector<std::string> notes;
};

// `rows` is the number of rows of the model's embedding: ids that are no tokens, up to it, become unused tokens
// "[PAD17]". INVALID_ARGUMENT "`what`: ..." for a spec with more tokens than rows, with a token that stands there
// twice, or whose ranks are not places.
absl::StatusOr<GgufTokenizerResult> ToGgufTokenizer(const TokenizerSpec& spec, int64_t rows, std::string_view what);

// The reverse: the text of a tokenizer.json whose ids are those of the tokenizer that the file was made from.
// INVALID_ARGUMENT "`what`: ..." for a model or a pre-tokenizer that is not known here, counts that differ, a token
// that is there twice, and merges whose parts are no tokens. What else a tokenizer.json must hold is for its reader to
// check.
absl::StatusOr<std::string> FromGgufTokenizer(const GgufTokenizer& tokenizer, std::string_view what);

}  // namespace rhodes

#endif  // RHODES_TOKEN_GGUF_TOKENIZER_H_
