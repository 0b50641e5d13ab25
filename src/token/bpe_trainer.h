// Trains a byte-level BPE vocabulary from counted words.
#ifndef RHODES_TOKEN_BPE_TRAINER_H_
#define RHODES_TOKEN_BPE_TRAINER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/run_context.h"
#include "token/tokenizer_file.h"
#include "token/word_counts.h"

namespace rhodes {

struct BpeTrainerOptions {
  uint32_t vocabulary_size = 8192;  // tokens in all: 256 bytes, the merges, the end-of-text token
  Pattern pattern = Pattern::kLlama3;
  uint64_t min_frequency = 2;  // a pair that occurs less often is not merged
};

struct BpeTraining {
  TokenizerSpec spec;
  uint64_t text_bytes = 0;       // counted
  uint64_t words = 0;            // different ones that were learnt from
  uint64_t words_forgotten = 0;  // rare ones dropped to stay within the memory budget
  double counting_seconds = 0;
  double merging_seconds = 0;
};

// Counts the words of all texts and trains on them (TrainBpeOnWords). `next` appends texts to its argument, some
// megabytes at a time, and returns false at the end; it is called on one thread at a time. Words are counted on all
// threads; the result does not depend on how many there are.
//
// Memory: the word table and the trainer's arrays take up to half of context.memory_bytes. When there are too many
// different words for that, the rarest are forgotten, always at the same places of the corpus. Not within the budget:
// the texts in flight (two calls of `next` for each thread).
absl::StatusOr<BpeTraining> TrainBpe(const BpeTrainerOptions& options,
                                     const std::function<absl::StatusOr<bool>(std::vector<std::string>&)>& next,
                                     RunContext& context);

// Merges the most frequent pair of neighbouring tokens, again and again; of equally frequent ones, the pair with the
// smaller ids. The merges are those of Hugging Face's BpeTrainer with initial_alphabet=ByteLevel.alphabet() and the
// same min_frequency for the same words: pairs are counted where they overlap ("aaa" holds two "aa"), and two merges
// may make the same token. Ids: the bytes in the byte alphabet's order, then tokens in the order of their merges, then
// end-of-text. Fewer tokens than asked for when no pair is frequent enough.
//
// The result depends on words and counts alone, not on their order. One thread; 8192 tokens from 40 MB of text in about
// a second. Memory: about 12 bytes for each byte of the words.
// INVALID_ARGUMENT when `vocabulary_size` is below 257 or beyond 2^22.
absl::StatusOr<TokenizerSpec> TrainBpeOnWords(const std::vector<WordCount>& words, const BpeTrainerOptions& options,
                                              RunContext& context);

}  // namespace rhodes

#endif  // RHODES_TOKEN_BPE_TRAINER_H_
