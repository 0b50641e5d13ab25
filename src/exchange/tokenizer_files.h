// What a model on disk says of its tokens: tokenizer, special tokens, chat template; from a folder or a GGUF file.
#ifndef RHODES_EXCHANGE_TOKENIZER_FILES_H_
#define RHODES_EXCHANGE_TOKENIZER_FILES_H_

#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/status.h"
#include "model/config.h"
#include "model/gguf.h"
#include "token/tokenizer.h"

namespace rhodes {

struct TokenizerFiles {
  std::string tokenizer_json;  // the text of tokenizer.json
  Json tokenizer_config;       // tokenizer_config.json; an empty object when there is none
  Json generation_config;      // generation_config.json; an empty object when there is none
  std::string chat_template;   // Jinja; empty: none
  bool add_bos = false;        // a text begins with the configuration's begin-of-text token
};

// Of a folder in Hugging Face's layout or a GGUF file. `config` is the model's. NOT_FOUND when there is no tokenizer;
// INVALID_ARGUMENT naming the file for one that cannot be read.
//
// add_bos: `add_bos_token` where it stands. Otherwise a post_processor of tokenizer.json decides by putting the token
// there; and without one, a model that has a begin-of-text token begins with it unless its tokenizer class is one that
// never does (GPT2Tokenizer, Qwen2Tokenizer).
absl::StatusOr<TokenizerFiles> ReadTokenizerFiles(const std::string& path, const ModelConfig& config);

// The tokenizer itself. INVALID_ARGUMENT "`path`: ..." when it has more tokens than the model's embedding has rows: one
// of the two belongs to another model. Fewer are fine: released models round their rows up.
absl::StatusOr<std::unique_ptr<Tokenizer>> MakeTokenizer(const TokenizerFiles& files, const ModelConfig& config,
                                                         const std::string& path);

// Adds `tokenizer.*` to a GGUF file for `config`'s model. Returns where llama.cpp would tokenize differently, a
// sentence each. INVALID_ARGUMENT "`path`: ..." as ToGgufTokenizer.
absl::StatusOr<std::vector<std::string>> AddGgufTokenizer(const TokenizerFiles& files, const ModelConfig& config,
                                                          const std::string& path, GgufWriter& writer);

}  // namespace rhodes

#endif  // RHODES_EXCHANGE_TOKENIZER_FILES_H_
