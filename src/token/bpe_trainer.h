// Trains a byte-level BPE vocabulary from counted words.
#ifndef RHODES_TOKEN_BPE_TRAINER_H_
#define RHODES_TOKEN_BPE_TRAINER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/run_context.h"
#include "token/tokenizer_file.h"
#include "token/word_counter.h"

namespace rhodes {

struct BpeTrainerOptions {
  uint32_t vocabulary_size = 8192;  // tokens in all: 256 bytes, the merges, the special tokens
  Pattern pattern = Pattern::kLlama3;
  uint64_t min_frequency = 2;  // a pair that occurs less often is not merged
  // How much each occurrence in a group counts, given the groups and their bytes: one positive number a group, of which
  // only the proportions matter. Absent: all groups alike, by plain counts.
  std::function<absl::StatusOr<std::vector<double>>(const std::vector<TextGroup>& groups,
                                                    const std::vector<uint64_t>& text_bytes)>
      weights = nullptr;
  // Where counts are kept to go on from after a kill, and for which corpus and settings: see WordCounterOptions. Empty:
  // nowhere.
  std::string folder = {};
  std::string key = {};
  double save_seconds = 30;
  // Special tokens besides end-of-text, behind it in this order: each once, not empty.
  std::vector<std::string> special = {};
};

// How the tokenizer cuts the words that it was trained on, by group.
struct GroupUse {
  TextGroup name;
  uint64_t texts = 0;             // documents
  uint64_t bytes = 0;             // of the texts
  uint64_t word_bytes = 0;        // of the words that were learnt from: less than `bytes` when rare ones were left out
  uint64_t words = 0;             // occurrences
  uint64_t tokens = 0;            // of these words, without end-of-text tokens
  uint64_t whole_words = 0;       // occurrences that are one token
  uint64_t characters = 0;        // of these words
  uint64_t whole_characters = 0;  // that no end of a token cuts
  std::vector<bool> seen = {};    // by token: whether it occurs
  double weight = 1;              // what an occurrence counted
};

struct BpeTraining {
  TokenizerSpec spec;
  uint64_t text_bytes = 0;       // counted
  uint64_t words = 0;            // different ones that were learnt from
  uint64_t words_forgotten = 0;  // rare ones left out to stay within the memory budget
  std::vector<GroupUse> groups;  // sorted by name
  double counting_seconds = 0;
  double merging_seconds = 0;
};

// Counts the words of all texts (token/word_counter.h) and trains on them (TrainBpeOnWords). Words are counted on all
// threads; the result depends neither on how many there are nor on kills: with `folder` and `key`, counting goes on
// where it was kept last, and merging begins again from the kept counts.
//
// Memory: context.memory_bytes: up to a quarter of it the word tables, then up to half the trainer's arrays. More
// different words are sorted into files; when the trainer could not hold them all, the rarest are left out. Not within
// the budget: the pieces that are read at one time, one a thread.
absl::StatusOr<BpeTraining> TrainBpe(const BpeTrainerOptions& options, const TextReader& next, RunContext& context);

// Merges the most frequent pair of neighbouring tokens, again and again; of equally frequent ones, the pair with the
// smaller ids. The merges are those of Hugging Face's BpeTrainer with initial_alphabet=ByteLevel.alphabet() and the
// same min_frequency for the same words: pairs are counted where they overlap ("aaa" holds two "aa"), and two merges
// may make the same token. Ids: the bytes in the byte alphabet's order, then tokens in the order of their merges, then
// end-of-text. Fewer tokens than asked for when no pair is frequent enough.
//
// The result depends on words and counts alone, not on their order. One thread. Memory: about 24 bytes for each byte of
// the words and 64 for each word.
// UsageError when `vocabulary_size` has no room for the bytes and the special tokens or is beyond 262,144, and for
// special tokens that are empty or there twice.
absl::StatusOr<TokenizerSpec> TrainBpeOnWords(const std::vector<WordCount>& words, const BpeTrainerOptions& options,
                                              RunContext& context);

}  // namespace rhodes

#endif  // RHODES_TOKEN_BPE_TRAINER_H_
