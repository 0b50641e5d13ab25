// The tokenize stage: a corpus in, a tokenizer and shuffled shards with lineage out.
#ifndef RHODES_TOKEN_TOKENIZE_H_
#define RHODES_TOKEN_TOKENIZE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/run_context.h"
#include "token/document_encoder.h"
#include "token/shard_format.h"
#include "token/shard_mix.h"
#include "token/text_input.h"
#include "token/training_weights.h"

namespace rhodes {

struct TokenizeOptions {
  // Documents: Parquet, JSON Lines or text files (plain, .gz, .zst, .bz2, .xz), folders of them (OUT/corpus), pipes;
  // "-": standard input, which a tokenizer that is trained on it must not share with the shards.
  std::vector<std::string> inputs;
  TextFormat format = TextFormat::kAuto;  // of inputs other than Parquet
  std::string out;                        // receives tokenizer.json and shards/; may be empty when the next one is not
  std::string shards;                     // receives the shards instead of OUT/shards
  uint32_t vocabulary_size = 8192;        // of the tokenizer that is trained, special tokens included; 257 or more
  std::string pattern = "llama3";         // how text is cut into words before merging: see token/pattern.h
  TrainingWeights weights;                // of the texts it is trained on
  std::string tokenizer;                  // a tokenizer.json to use instead of training one
  double validation_share = 0.01;         // of the documents, by the hash of their ids; at least one document
  uint64_t seed = 1;                      // of the order of documents
  ShardFormat shard_format = ShardFormat::kMegatron;  // Rhodes trains on Megatron's
  uint64_t shard_tokens = 0;                          // of one shard, about; 0: the format's own
  MixOptions mix;                                     // of the training split; none: every document once
  std::string key;
  Json settings = Json::object();
};

struct TokenizeReport {
  using Share = TextShare;
  uint32_t vocabulary_size = 0;
  Share train;
  Share validation;
  std::map<std::string, Share> by_source;    // documents of several sources under "a+b"
  std::map<std::string, Share> by_language;  // "" where it is not known
  std::vector<MixSource> mix;                // what was asked for, by source; empty without a mixture
  std::map<std::string, Share> trained;      // and what stands in the training split, copies counted
  uint64_t shard_bytes = 0;                  // of the data files of both splits
  uint64_t lineage_bytes = 0;                // and of the .lineage beside them
  double training_seconds = 0;               // of the tokenizer
  double encoding_seconds = 0;               // documents to tokens
  double writing_seconds = 0;                // tokens to shards, on the disk
  double seconds = 0;
};
Json ToJson(const TokenizeReport& report);

// Trains a byte-level BPE (unless given one), encodes every document, and writes
//   OUT/tokenizer.json                                (Hugging Face's layout)
//   OUT/shards/ (or `shards`): the splits in the format asked for, a .lineage beside each shard (docs/formats.md), and
//                              manifest.json; whole or not at all
// A document belongs to one split by the hash of its id alone, so that it stays there when others come or go. Within a
// split documents stand in an order drawn from `seed`. With a mixture, documents of the training split stand there as
// often as their source's weight asks for: all of them so many times, and of the rest the first ones of a drawn order
// once more, until the tokens are reached. The bytes do not depend on threads or memory.
//
// Memory: what is in flight, the trainer's word table (bounded by context.memory_bytes), and 72 bytes a document;
// tokens wait in memory up to half of context.memory_bytes, beyond it in temporary files in the shards' staging folder.
//
// INVALID_ARGUMENT for fewer than two documents or a tokenizer.json that is broken; UsageError for a vocabulary that is
// too small or that the shard format cannot hold, and for a mixture that does not fit the sources.
absl::StatusOr<TokenizeReport> Tokenize(const TokenizeOptions& options, RunContext& context);

}  // namespace rhodes

#endif  // RHODES_TOKEN_TOKENIZE_H_
