// The tokenize stage: a corpus in, a tokenizer and shuffled shards with lineage out.
#ifndef RHODES_TOKEN_TOKENIZE_H_
#define RHODES_TOKEN_TOKENIZE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/run_context.h"
#include "token/shard_format.h"

namespace rhodes {

struct TokenizeOptions {
  std::vector<std::string> inputs;  // documents: Parquet or JSON Lines files, or directories of them (OUT/corpus)
  std::string out;                  // receives tokenizer.json and shards/; may be empty when the next one is not
  std::string shards;               // receives the shards instead of OUT/shards
  uint32_t vocabulary_size = 8192;  // of the tokenizer that is trained, special tokens included; 257 or more
  std::string pattern = "llama3";   // how text is cut into words before merging: see token/pattern.h
  std::string tokenizer;            // a tokenizer.json to use instead of training one
  double validation_share = 0.01;   // of the documents, by the hash of their ids; at least one document
  uint64_t seed = 1;                // of the order of documents
  ShardFormat shard_format = ShardFormat::kMegatron;  // Rhodes trains on Megatron's
  uint64_t shard_tokens = 0;                          // of one shard, about; 0: the format's own
  std::string key;
  Json settings = Json::object();
};

struct TokenizeReport {
  struct Share {
    uint64_t documents = 0;
    uint64_t bytes = 0;   // of UTF-8 text
    uint64_t tokens = 0;  // with an end-of-text token a document
  };
  uint32_t vocabulary_size = 0;
  Share train;
  Share validation;
  std::map<std::string, Share> by_source;    // documents of several sources under "a+b"
  std::map<std::string, Share> by_language;  // "" where it is not known
  double training_seconds = 0;               // of the tokenizer
  double encoding_seconds = 0;
  double seconds = 0;
};
Json ToJson(const TokenizeReport& report);

// Trains a byte-level BPE (unless given one), encodes every document, and writes
//   OUT/tokenizer.json                                     (Hugging Face's layout)
//   OUT/shards/{train,validation}-NNNNN.{bin,idx,lineage}  (docs/formats.md), manifest.json; whole or not at all
// A document belongs to one split by the hash of its id alone, so that it stays there when others come or go. Within a
// split documents stand in an order drawn from `seed`. The bytes do not depend on the number of threads.
//
// Memory: what is in flight, the trainer's word table (bounded by context.memory_bytes), and 32 bytes a document;
// tokens wait in a temporary file in OUT/shards.partial.
//
// INVALID_ARGUMENT for fewer than two documents, a vocabulary that is too small, or a tokenizer.json that is broken.
absl::StatusOr<TokenizeReport> Tokenize(const TokenizeOptions& options, RunContext& context);

}  // namespace rhodes

#endif  // RHODES_TOKEN_TOKENIZE_H_
