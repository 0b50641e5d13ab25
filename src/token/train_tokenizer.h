// Trains a tokenizer from files and pipes and says how it cuts them: `rhodes tokenize --train`.
#ifndef RHODES_TOKEN_TRAIN_TOKENIZER_H_
#define RHODES_TOKEN_TRAIN_TOKENIZER_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/run_context.h"
#include "token/text_input.h"
#include "token/training_weights.h"

namespace rhodes {

struct TrainTokenizerOptions {
  TextInputOptions input;
  uint32_t vocabulary_size = 8192;   // bytes, merges and special tokens
  std::string pattern = "llama3";    // see token/pattern.h
  std::vector<std::string> special;  // besides end-of-text
  uint64_t min_frequency = 2;
  TrainingWeights weights;
  // Where counts are kept, so that a training that was killed goes on; removed at the end. Empty: nowhere. (Of a pipe
  // nothing is kept: it cannot be read again.)
  std::string state;
  double save_seconds = 30;
};

// How the tokenizer cuts the texts of one source, one language, or all. Words are those of the pattern.
struct TextUse {
  uint64_t documents = 0;
  uint64_t bytes = 0;
  uint64_t words = 0;
  uint64_t tokens = 0;
  uint64_t word_bytes = 0;   // of these words: less than `bytes` when rare words were left out
  uint64_t whole_words = 0;  // words that are one token
  uint64_t characters = 0;
  uint64_t whole_characters = 0;  // that no end of a token cuts
  uint64_t vocabulary = 0;        // different tokens that occur
  double weight = 1;              // what an occurrence counted, on average over the bytes
};

struct TokenizerTraining {
  std::string tokenizer_json;  // the file's text
  uint32_t vocabulary_size = 0;
  uint64_t merges = 0;
  uint64_t different_words = 0;
  uint64_t words_forgotten = 0;
  TextUse all;
  std::map<std::string, TextUse> by_source;
  std::map<std::string, TextUse> by_language;
  double counting_seconds = 0;
  double merging_seconds = 0;
};
Json ToJson(const TokenizerTraining& training);

// Memory: see TrainBpe (token/bpe_trainer.h). The result depends neither on threads nor on kills.
//
// UsageError for a vocabulary, a pattern, special tokens or weights that cannot be; errors of the input name the file.
absl::StatusOr<TokenizerTraining> TrainTokenizer(const TrainTokenizerOptions& options, RunContext& context);

}  // namespace rhodes

#endif  // RHODES_TOKEN_TRAIN_TOKENIZER_H_
