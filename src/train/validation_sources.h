// The held-out documents of each source, as splits of their own.
#ifndef RHODES_TRAIN_VALIDATION_SOURCES_H_
#define RHODES_TRAIN_VALIDATION_SOURCES_H_

#include <map>
#include <memory>
#include <string>

#include "token/shards.h"
#include "token/tokenizer.h"

namespace rhodes {

// The documents of `shards` by the sources that the corpus names for their rows ("news", or "news+posts" for documents
// made of several). `corpus`: the directory of part-*.parquet that the shards were made of. Empty when it is not there,
// or when all documents are of one. Neither `shards` nor `tokenizer` is owned. Memory: 16 bytes a held-out document and
// a number a row of the corpus. DATA_LOSS when the corpus has fewer rows than the shards name.
absl::StatusOr<std::map<std::string, std::unique_ptr<ShardSet>>> SplitBySource(const ShardSet& shards,
                                                                               const Tokenizer& tokenizer,
                                                                               const std::string& corpus);

}  // namespace rhodes

#endif  // RHODES_TRAIN_VALIDATION_SOURCES_H_
