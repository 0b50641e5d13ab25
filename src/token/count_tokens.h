// How much text files hold, in documents, bytes, characters, words and a tokenizer's tokens: `rhodes count`.
#ifndef RHODES_TOKEN_COUNT_TOKENS_H_
#define RHODES_TOKEN_COUNT_TOKENS_H_

#include <cstdint>
#include <map>
#include <string>

#include "base/json.h"
#include "base/run_context.h"
#include "token/text_input.h"

namespace rhodes {

struct CountTokensOptions {
  TextInputOptions input;      // `whole_texts` is set as the tokenizer needs it
  std::string tokenizer;       // tokenizer.json or a tiktoken rank file
  std::string pattern;         // of a rank file; see Tokenizer::Load
  bool allow_special = false;  // special tokens written in a text are those tokens
};

struct TextCounts {
  uint64_t documents = 0;
  uint64_t bytes = 0;
  uint64_t characters = 0;  // bytes that begin one in UTF-8
  uint64_t words = 0;       // runs of characters that are no white space, as `wc -w` has them
  uint64_t tokens = 0;      // without end-of-text tokens between documents
};

struct CountTokensReport {
  TextCounts all;
  std::map<std::string, TextCounts> by_source;
  std::map<std::string, TextCounts> by_language;
  double seconds = 0;  // of reading and counting, without loading the tokenizer
};
Json ToJson(const CountTokensReport& report);

// Counts on all threads, the pieces of one large file as well. Memory: the tokenizer, and for each thread a piece of
// the input, its longest document and that one's tokens. A text that is no JSON is counted in parts and need not fit
// into memory, unless the tokenizer looks across words (SentencePiece style).
absl::StatusOr<CountTokensReport> CountTokens(const CountTokensOptions& options, RunContext& context);

// Adds the characters and words of `text`.
void CountWords(std::string_view text, TextCounts& counts);

}  // namespace rhodes

#endif  // RHODES_TOKEN_COUNT_TOKENS_H_
