// Tokenised documents on disk: Megatron .bin/.idx (see docs/formats.md) with a lineage table beside each.
#ifndef RHODES_TOKEN_SHARDS_H_
#define RHODES_TOKEN_SHARDS_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "token/tokenizer.h"

namespace rhodes {

// One split ("train" or "validation") of a shards directory, memory-mapped: `train-00000.bin/.idx/.lineage`, ...
// A document is one sequence and ends with the end-of-text token. Documents stand in shuffled order (by seed).
// Immutable; thread-safe.
class ShardSet {
 public:
  // DATA_LOSS naming the file and the place in it when magic, sizes or a checksum do not agree. Every byte is read
  // once, by all threads: 64-bit XXH3 of each MiB, at the speed of memory once the file is in it, else of the disk. A
  // set that is open never fails.
  static absl::StatusOr<std::unique_ptr<ShardSet>> Open(const std::string& directory, const std::string& split);
  virtual ~ShardSet() = default;

  virtual uint64_t token_count() const = 0;
  virtual uint64_t document_count() const = 0;
  // Token position of the first token of document `d`; d == document_count() gives token_count().
  virtual uint64_t DocumentBegin(uint64_t d) const = 0;
  // The document that holds token `position`.
  virtual uint64_t DocumentOf(uint64_t position) const = 0;
  // Copies tokens [position, position + out.size()) into `out`; beyond the end wraps to the start.
  virtual void Read(uint64_t position, std::span<TokenId> out) const = 0;
  // Lineage: the row of document `d` in the corpus (rows counted over all its parts in order), from which id, source
  // and parents follow.
  virtual uint64_t CorpusRow(uint64_t d) const = 0;
  // Bytes of UTF-8 text over all documents of the split, end-of-text tokens not counted: for bits per byte.
  virtual uint64_t text_bytes() const = 0;
};

// The per-document facts of a corpus that lineage points to, in corpus row order.
struct CorpusEntry {
  std::string id;
  std::vector<std::string> sources;
  std::vector<std::string> parents;
};

}  // namespace rhodes

#endif  // RHODES_TOKEN_SHARDS_H_
